"""The pure core over a generated mesh of as many services as the argument says: judge and derive everything."""

import gc
import sys

from bench.generated import environment
from mesh.check import check
from mesh.consul import chart
from mesh.consul.ordering import dependencies
from mesh.consul.policy import entries
from mesh.kubernetes.services import release_values
from mesh.nomad.jobs import jobs, specification
from mesh.terraform import json_literal

gc.disable()  # as every command of the project does
mesh = environment(int(sys.argv[1]))
if findings := check(mesh):
    sys.exit(str(findings[0]))
written = entries(mesh)
dependencies(written)
texts = [json_literal(entry.body()) for entry in written]
texts += [json_literal(specification(mesh, job)) for job in jobs(mesh)]
texts += [json_literal(release_values(mesh, service)) for service in mesh.on_kubernetes()]
texts.append(json_literal(chart.values(mesh)))
