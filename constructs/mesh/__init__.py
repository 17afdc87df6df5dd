"""A hybrid Consul service mesh on Azure, declared once in typed Python.

``mesh.model`` is the vocabulary of an environment. ``mesh.consul``, ``mesh.nomad``, ``mesh.kubernetes``, ``mesh.azure``
and ``mesh.boot`` derive plain values from an environment; ``mesh.check`` judges it. None of these imports cdktf or
jsii. Only the modules and packages named ``constructs`` inside a family turn those values into Terraform resources.
"""
