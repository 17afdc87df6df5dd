package main

import (
	"fmt"
	"math/rand"
	"sort"
)

// parallel writes entries as Terraform does: up to Workers at once, each after all in its Before list, in an order that
// Seed picks among those that may go. Delete goes the same edges backwards. What follows a failure is skipped.
func (s step) parallel(provider *provider) *result {
	waiting, follows, failed := s.edges()
	if failed != nil {
		return failed
	}
	var ready []int
	for index, count := range waiting {
		if count == 0 {
			ready = append(ready, index)
		}
	}
	random := rand.New(rand.NewSource(s.Seed))
	workers := max(1, s.Workers)
	type done struct {
		index   int
		outcome *result
	}
	finished := make(chan done)
	outcome := &result{Errors: map[int]*result{}}
	skip := map[int]bool{}
	settled := 0
	for running := 0; running > 0 || len(ready) > 0; {
		for running < workers && len(ready) > 0 {
			pick := random.Intn(len(ready))
			index := ready[pick]
			ready = append(ready[:pick], ready[pick+1:]...)
			running++
			go func() { finished <- done{index, s.one(provider, index)} }()
		}
		last := <-finished
		running--
		settled++
		if last.outcome.Error != "" {
			outcome.Errors[last.index] = last.outcome
		}
		// What is skipped is settled at once, and so is what follows it.
		for settling := []int{last.index}; len(settling) > 0; settling = settling[1:] {
			index := settling[0]
			bad := skip[index] || outcome.Errors[index] != nil
			for _, next := range follows[index] {
				skip[next] = skip[next] || bad
				waiting[next]--
				switch {
				case waiting[next] > 0:
				case skip[next]:
					outcome.Skipped = append(outcome.Skipped, next)
					settled++
					settling = append(settling, next)
				default:
					ready = append(ready, next)
				}
			}
		}
	}
	if settled < len(s.Entries) {
		outcome.Stage, outcome.Error = "step", "the edges of before form a cycle"
	}
	sort.Ints(outcome.Skipped)
	return outcome
}

// edges returns for each entry how many it waits for, and which wait for it.
func (s step) edges() ([]int, [][]int, *result) {
	waiting := make([]int, len(s.Entries))
	follows := make([][]int, len(s.Entries))
	for second, firsts := range s.Before {
		for _, first := range firsts {
			if min(first, second) < 0 || max(first, second) >= len(s.Entries) {
				return nil, nil, failure("step", fmt.Errorf("no such entries: %d before %d", first, second))
			}
			from, to := first, second
			if s.Delete {
				from, to = second, first
			}
			waiting[to]++
			follows[from] = append(follows[from], to)
		}
	}
	return waiting, follows, nil
}

func (s step) one(provider *provider, index int) (outcome *result) {
	defer recoverAs(&outcome)
	if !s.Delete {
		return write(provider, s.Entries[index])
	}
	identity, _, err := split(s.Entries[index])
	if err != nil {
		return failure("decode", err)
	}
	return remove(provider, identity)
}
