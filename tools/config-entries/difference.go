package main

import (
	"fmt"
	"reflect"
	"sort"
	"time"

	"github.com/hashicorp/consul/api"
)

// difference is one place where what Consul returned is not what the configuration says. An empty path is the whole
// entry. Absent and empty are told apart: null is a nil pointer, list or map.
type difference struct {
	Path   string `json:"path"`
	Found  any    `json:"found"`
	Wanted any    `json:"wanted"`
}

// differences finds what reflect.DeepEqual calls unequal.
func differences(found, wanted api.ConfigEntry) []difference {
	var all []difference
	compare("", reflect.ValueOf(found), reflect.ValueOf(wanted), &all)
	return all
}

func compare(path string, found, wanted reflect.Value, all *[]difference) {
	if !found.IsValid() || !wanted.IsValid() || found.Type() != wanted.Type() {
		if found.IsValid() || wanted.IsValid() {
			report(path, found, wanted, all)
		}
		return
	}
	switch found.Kind() {
	case reflect.Pointer, reflect.Interface:
		if found.IsNil() || wanted.IsNil() {
			if found.IsNil() != wanted.IsNil() {
				report(path, found, wanted, all)
			}
			return
		}
		compare(path, found.Elem(), wanted.Elem(), all)
	case reflect.Struct:
		for index := range found.NumField() {
			if field := found.Type().Field(index); field.IsExported() {
				compare(join(path, field.Name), found.Field(index), wanted.Field(index), all)
			}
		}
	case reflect.Slice:
		if found.IsNil() != wanted.IsNil() || found.Len() != wanted.Len() {
			report(path, found, wanted, all)
			return
		}
		for index := range found.Len() {
			compare(fmt.Sprintf("%s[%d]", path, index), found.Index(index), wanted.Index(index), all)
		}
	case reflect.Map:
		if found.IsNil() != wanted.IsNil() {
			report(path, found, wanted, all)
			return
		}
		for _, key := range keys(found, wanted) {
			compare(join(path, key.String()), found.MapIndex(key), wanted.MapIndex(key), all)
		}
	default:
		if !found.Equal(wanted) {
			report(path, found, wanted, all)
		}
	}
}

// keys are those of both maps, sorted; all maps of an entry have strings for keys.
func keys(maps ...reflect.Value) []reflect.Value {
	byName := map[string]reflect.Value{}
	for _, each := range maps {
		for _, key := range each.MapKeys() {
			byName[key.String()] = key
		}
	}
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	sort.Strings(names)
	sorted := make([]reflect.Value, len(names))
	for index, name := range names {
		sorted[index] = byName[name]
	}
	return sorted
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func report(path string, found, wanted reflect.Value, all *[]difference) {
	*all = append(*all, difference{path, shown(found), shown(wanted)})
}

// shown makes a duration readable and leaves the rest to JSON, which keeps null and empty apart.
func shown(value reflect.Value) any {
	if !value.IsValid() {
		return nil
	}
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if duration, ok := value.Interface().(time.Duration); ok {
		return duration.String()
	}
	return value.Interface()
}
