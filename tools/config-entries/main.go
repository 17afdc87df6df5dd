// Command config-entries does with Consul's config entries what Terraform does with its consul_config_entry resource.
//
// It is terraform-provider-consul 2.22.1 without Terraform: the same github.com/hashicorp/consul/api, the same order of
// decoding, clearing and comparing (consul/resource_consul_config_entry.go).
//
// Every line of standard input is a case, every line of standard output the result of the case, in the same order:
//
//	{"steps": [{"op": "write", "entry": {"Kind": ..., "Name": ...}}, ...], "stop": false}
//	{"results": [{"lost": ["Protocoll"]}, ...]}
//
// After each case every entry that it wrote is deleted, so a case never sees another one's. See steps.go for the steps.
// Cases are read ahead, so a caller may write hundreds before it reads the first result. When Consul does not survive a
// case, its result is the last one and says so.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"os"
)

// readAhead is how many cases wait in memory at most.
const readAhead = 1024

var errGone = errors.New("Consul does not answer any more")

type testCase struct {
	Steps []step `json:"steps"`
	Stop  bool   `json:"stop"` // at the first step that fails
}

type caseResult struct {
	Results   []*result `json:"results"`
	Error     string    `json:"error,omitempty"`     // the line is no case
	Leftovers []string  `json:"leftovers,omitempty"` // entries that cannot be deleted, each with the reason
	Gone      bool      `json:"gone,omitempty"`      // Consul does not answer any more
}

func main() {
	address := flag.String("address", "127.0.0.1:8500", "HTTP address of Consul")
	flag.Parse()
	os.Clearenv() // whatever CONSUL_* says must not lead anywhere else
	if err := serve(*address, os.Stdin, os.Stdout); err != nil {
		log.Fatalln("config-entries:", err)
	}
}

func serve(address string, input io.Reader, output io.Writer) error {
	provider, err := newProvider(address)
	if err != nil {
		return err
	}
	lines := make(chan []byte, readAhead)
	var readError error
	go func() {
		defer close(lines)
		reader := bufio.NewReader(input)
		for {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 {
				lines <- line
			}
			if err != nil {
				if err != io.EOF {
					readError = err
				}
				return
			}
		}
	}()
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	for line := range lines {
		if err := encoder.Encode(run(provider, line)); err != nil {
			return err
		}
		if provider.gone.Load() {
			return errGone
		}
	}
	return readError
}

func run(provider *provider, line []byte) caseResult {
	var wanted testCase
	if err := json.Unmarshal(line, &wanted); err != nil {
		return caseResult{Error: err.Error()}
	}
	answer := caseResult{Results: []*result{}}
	for _, step := range wanted.Steps {
		outcome := step.run(provider)
		answer.Results = append(answer.Results, outcome)
		if provider.gone.Load() || wanted.Stop && outcome.failed() {
			break
		}
	}
	if !provider.gone.Load() {
		answer.Leftovers = provider.clear()
		if provider.gone.Load() {
			answer.Results = append(answer.Results, &result{Stage: "crash", Error: errGone.Error()})
		}
	}
	answer.Gone = provider.gone.Load()
	return answer
}
