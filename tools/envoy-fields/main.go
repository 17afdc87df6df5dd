// Command envoy-fields writes the fields of the Envoy messages that a property-override patch can reach, as JSON on
// standard output.
//
// The messages are those of the go-control-plane that Consul is built with (see go.mod), so that a path is judged as
// Consul judges it. Reachable is what agent/envoyextensions/builtin/property-override/structpatcher.go walks: from the
// four kinds of resources through single messages, but not into lists, maps and google.protobuf.Any.
package main

import (
	"encoding/json"
	"log"
	"os"
	"slices"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	envoytype "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// What is written: by message, each field and its type, which is list, map, number, string, bool or bytes, or the full
// name of a message or an enum; and the statuses that the ext-authz extension may answer with.
type output struct {
	Resources map[string]string            `json:"resources"`
	Messages  map[string]map[string]string `json:"messages"`
	Enums     map[string][]string          `json:"enums"`
	Statuses  []int32                      `json:"statuses"`
}

func main() {
	roots := map[string]protoreflect.MessageDescriptor{
		"cluster":                 (&cluster.Cluster{}).ProtoReflect().Descriptor(),
		"cluster-load-assignment": (&endpoint.ClusterLoadAssignment{}).ProtoReflect().Descriptor(),
		"listener":                (&listener.Listener{}).ProtoReflect().Descriptor(),
		"route":                   (&route.RouteConfiguration{}).ProtoReflect().Descriptor(),
	}
	out := output{map[string]string{}, map[string]map[string]string{}, map[string][]string{}, nil}
	for kind, message := range roots {
		out.Resources[kind] = string(message.FullName())
		out.add(message)
	}
	for status := range envoytype.StatusCode_name {
		out.Statuses = append(out.Statuses, status)
	}
	slices.Sort(out.Statuses)
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(out); err != nil {
		log.Fatal(err)
	}
}

func (o *output) add(message protoreflect.MessageDescriptor) {
	name := string(message.FullName())
	if _, known := o.Messages[name]; known {
		return
	}
	fields := map[string]string{}
	o.Messages[name] = fields
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		fields[string(field.Name())] = o.typeOf(field)
	}
}

func (o *output) typeOf(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsList():
		return "list"
	case field.IsMap():
		return "map"
	}
	switch field.Kind() {
	case protoreflect.MessageKind:
		o.add(field.Message())
		return string(field.Message().FullName())
	case protoreflect.EnumKind:
		return o.enum(field.Enum())
	case protoreflect.BoolKind, protoreflect.StringKind, protoreflect.BytesKind:
		return field.Kind().String()
	case protoreflect.GroupKind:
		log.Fatalf("%s is a group", field.FullName())
	}
	return "number"
}

func (o *output) enum(enum protoreflect.EnumDescriptor) string {
	name := string(enum.FullName())
	if !strings.Contains(name, ".") {
		log.Fatalf("the enum %s could be taken for a scalar", name)
	}
	values := make([]string, enum.Values().Len())
	for i := range values {
		values[i] = string(enum.Values().Get(i).Name())
	}
	o.Enums[name] = values
	return name
}
