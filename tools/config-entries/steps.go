package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/hashicorp/consul/api"
)

// step is one thing to do. Op says which of the other fields count:
//
//	decode    entry: only what the provider does before it asks Consul
//	write     entry: decode, then send
//	plan      entry: would a plan after the apply show a difference?
//	delete    kind, name
//	parallel  entries, before, seed, workers, delete: see parallel.go
//	clear     delete what the case has written so far
type step struct {
	Op      string            `json:"op"`
	Entry   json.RawMessage   `json:"entry"`
	Kind    string            `json:"kind"`
	Name    string            `json:"name"`
	Entries []json.RawMessage `json:"entries"`
	Before  map[int][]int     `json:"before"`
	Seed    int64             `json:"seed"`
	Workers int               `json:"workers"`
	Delete  bool              `json:"delete"`
}

// result is what came of a step.
type result struct {
	// Where the error arose: decode, write, read, delete; step for a wrong step, crash when Consul did not survive.
	Stage string `json:"stage,omitempty"`
	Error string `json:"error,omitempty"`

	Lost []string        `json:"lost,omitempty"` // keys that the provider drops, as paths
	Sent api.ConfigEntry `json:"sent,omitempty"` // of decode: what the provider would send

	Clean      *bool        `json:"clean,omitempty"`      // of plan
	Difference []difference `json:"difference,omitempty"` // of plan

	Errors  map[int]*result `json:"errors,omitempty"`  // of parallel, by index
	Skipped []int           `json:"skipped,omitempty"` // of parallel: something before them failed
}

func (r *result) failed() bool {
	return r.Error != "" || len(r.Errors) > 0
}

func failure(stage string, err error) *result {
	return &result{Stage: stage, Error: err.Error()}
}

func (s step) run(provider *provider) *result {
	outcome := s.try(provider)
	if provider.gone.Load() {
		outcome.Stage = "crash"
		if outcome.Error == "" {
			outcome.Error = errGone.Error()
		}
	}
	return outcome
}

// try never panics: odd input must not end the process, whatever it does to a decoder.
func (s step) try(provider *provider) (outcome *result) {
	defer recoverAs(&outcome)
	switch s.Op {
	case "decode":
		return decodeOnly(s.Entry)
	case "write":
		return write(provider, s.Entry)
	case "plan":
		return plan(provider, s.Entry)
	case "delete":
		return remove(provider, resource{Kind: s.Kind, Name: s.Name})
	case "parallel":
		return s.parallel(provider)
	case "clear":
		if problems := provider.clear(); len(problems) > 0 {
			return failure("delete", fmt.Errorf("%v", problems))
		}
		return &result{}
	default:
		return failure("step", fmt.Errorf("unknown op %q", s.Op))
	}
}

func recoverAs(outcome **result) {
	if problem := recover(); problem != nil {
		*outcome = failure("step", fmt.Errorf("panic: %v", problem))
	}
}

func decodeOnly(text json.RawMessage) *result {
	_, entry, keys, failed := decoded(text)
	if failed != nil {
		return failed
	}
	return &result{Lost: keys, Sent: entry}
}

func write(provider *provider, text json.RawMessage) *result {
	identity, entry, keys, failed := decoded(text)
	if failed != nil {
		return failed
	}
	switch err := provider.write(identity, entry); err {
	case nil:
		return &result{Lost: keys}
	case errUnprintable:
		return failure("step", err)
	default:
		return &result{Stage: "write", Error: err.Error(), Lost: keys}
	}
}

func remove(provider *provider, identity resource) *result {
	if err := provider.remove(identity); err != nil {
		return failure("delete", err)
	}
	return &result{}
}

func plan(provider *provider, text json.RawMessage) *result {
	identity, body, err := split(text)
	if err != nil {
		return failure("decode", err)
	}
	wanted, err := decode(identity, body)
	if err != nil {
		return failure("decode", err)
	}
	found, err := provider.read(identity)
	if err != nil {
		return failure("read", err)
	}
	if found == nil {
		return planned(difference{Wanted: "an entry"})
	}
	old, err := state(found)
	if err != nil {
		return failure("read", err)
	}
	kept, err := decode(identity, old)
	if err != nil {
		// The provider's diff suppression gives up silently, and Terraform shows the difference.
		return planned(difference{Found: fmt.Sprintf("cannot be decoded: %v", err), Wanted: "an entry"})
	}
	if !reflect.DeepEqual(kept, wanted) {
		return planned(differences(kept, wanted)...)
	}
	clean := true
	return &result{Clean: &clean}
}

// planned shows a plan with differences; that there are some is not for differences to say.
func planned(found ...difference) *result {
	clean := false
	return &result{Clean: &clean, Difference: found}
}

func decoded(text json.RawMessage) (resource, api.ConfigEntry, []string, *result) {
	identity, body, err := split(text)
	if err != nil {
		return resource{}, nil, nil, failure("decode", err)
	}
	entry, err := decode(identity, body)
	if err != nil {
		return resource{}, nil, nil, failure("decode", err)
	}
	keys, err := lost(identity, body)
	if err != nil {
		return resource{}, nil, nil, failure("decode", err)
	}
	return identity, entry, keys, nil
}
