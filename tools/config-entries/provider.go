package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/hashicorp/consul/api"
	"github.com/mitchellh/mapstructure"
)

const (
	timeout  = 60 * time.Second // of one request
	patience = 200 * time.Millisecond
)

// errUnprintable keeps entries away that would be there forever: Consul stores them, but answers no URL with such names.
var errUnprintable = errors.New("not written: a name with unprintable characters cannot be read or deleted")

// resource holds the arguments of one consul_config_entry.
type resource struct {
	Kind, Name, Namespace, Partition string
}

func (r resource) String() string {
	text := r.Kind + "/" + r.Name
	if r.Namespace != "" {
		text += " namespace=" + r.Namespace
	}
	if r.Partition != "" {
		text += " partition=" + r.Partition
	}
	return text
}

// provider talks to one Consul and remembers what it wrote there.
type provider struct {
	address string
	http    *http.Client
	entries *api.ConfigEntries
	gone    atomic.Bool // Consul does not answer any more
	mutex   sync.Mutex
	written []resource // in the order of the first writes
}

func newProvider(address string) (*provider, error) {
	// The client's own transport keeps only a few connections: parallel writes would open new ones all the time.
	connections := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: timeout}
	client, err := api.NewClient(&api.Config{Address: address, HttpClient: connections})
	if err != nil {
		return nil, err
	}
	return &provider{address: address, http: connections, entries: client.ConfigEntries()}, nil
}

// split takes an entry apart into the arguments of its resource: identity and config_json.
func split(entry json.RawMessage) (resource, map[string]any, error) {
	var body map[string]any
	if err := json.Unmarshal(entry, &body); err != nil {
		return resource{}, nil, fmt.Errorf("failed to unmarshal configMap: %v", err)
	}
	var identity resource
	for key, argument := range map[string]*string{
		"Kind": &identity.Kind, "Name": &identity.Name,
		"Namespace": &identity.Namespace, "Partition": &identity.Partition,
	} {
		if value, found := body[key]; found {
			text, ok := value.(string)
			if !ok {
				return resource{}, nil, fmt.Errorf("%s must be a string", key)
			}
			*argument = text
			delete(body, key)
		}
	}
	if identity.Kind == "" {
		return resource{}, nil, errors.New("Kind is missing")
	}
	return identity, body, nil
}

// configMap is what the provider decodes: config_json, with what the arguments say put in.
func configMap(identity resource, body map[string]any) map[string]any {
	complete := make(map[string]any, len(body)+4)
	for key, value := range body {
		complete[key] = value
	}
	switch identity.Kind {
	case api.HTTPRoute, api.TCPRoute, api.APIGateway:
		delete(complete, "Status") // the server's
	}
	complete["kind"] = identity.Kind
	complete["name"] = identity.Name
	complete["Namespace"] = identity.Namespace
	complete["Partition"] = identity.Partition
	return complete
}

// decode is the provider's makeConfigEntry.
func decode(identity resource, body map[string]any) (api.ConfigEntry, error) {
	return api.DecodeConfigEntry(configMap(identity, body))
}

// lost names the keys that decoding drops without a word. It decodes a second time, because the client does not tell.
func lost(identity resource, body map[string]any) ([]string, error) {
	entry, err := api.MakeConfigEntry(identity.Kind, "")
	if err != nil {
		return nil, err
	}
	var metadata mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		// As in api.DecodeConfigEntry.
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.StringToTimeHookFunc(time.RFC3339),
		),
		Result:           &entry,
		WeaklyTypedInput: true,
		Metadata:         &metadata,
	})
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(configMap(identity, body)); err != nil {
		return nil, err
	}
	// Not every kind has fields for what the arguments say.
	own := map[string]bool{"kind": true, "name": true}
	own["Namespace"] = identity.Namespace == ""
	own["Partition"] = identity.Partition == ""
	var keys []string
	for _, key := range metadata.Unused {
		if !own[key] {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys, nil
}

// state is what the provider keeps of an entry that it has read: its config_json.
func state(entry api.ConfigEntry) (map[string]any, error) {
	text, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, err
	}
	for _, key := range []string{"CreateIndex", "ModifyIndex", "Kind", "Name", "Namespace", "Partition"} {
		delete(body, key)
	}
	return body, nil
}

func (p *provider) write(identity resource, entry api.ConfigEntry) error {
	if strings.ContainsFunc(identity.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return errUnprintable
	}
	options := &api.WriteOptions{Namespace: identity.Namespace, Partition: identity.Partition}
	stored, _, err := p.entries.Set(entry, options)
	var refused api.StatusError
	if !errors.As(err, &refused) {
		p.remember(located(identity, entry))
	}
	if err == nil && !stored {
		p.watch() // the provider takes this for success; it may be the last word of a server that has panicked
	}
	return p.answered(err)
}

// located is where Consul keeps an entry: the client's types for the kinds with one entry have a name of their own.
func located(identity resource, entry api.ConfigEntry) resource {
	identity.Name = entry.GetName()
	return identity
}

// read returns nil when Consul has no such entry.
func (p *provider) read(identity resource) (api.ConfigEntry, error) {
	options := &api.QueryOptions{Namespace: identity.Namespace, Partition: identity.Partition}
	if identity.Kind == api.ExportedServices && identity.Name != "default" {
		options.Partition = identity.Name
	}
	entry, _, err := p.entries.Get(identity.Kind, identity.Name, options)
	var status api.StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		return nil, nil
	}
	return entry, p.answered(err)
}

func (p *provider) remove(identity resource) error {
	options := &api.WriteOptions{Namespace: identity.Namespace, Partition: identity.Partition}
	_, err := p.entries.Delete(identity.Kind, identity.Name, options)
	return p.answered(err)
}

// answered notices when Consul is gone: that must not pass for a refusal. Consul also drops the connection when it
// panics over one request; then it goes on, and this is how it refuses.
func (p *provider) answered(err error) error {
	var dropped *url.Error
	if errors.As(err, &dropped) {
		p.watch()
	}
	return err
}

// watch asks for a while whether Consul is there: one that panics still answers a little.
func (p *provider) watch() {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(patience / 20) {
		response, err := p.http.Get("http://" + p.address + "/v1/status/leader")
		if err != nil {
			p.gone.Store(true)
			return
		}
		response.Body.Close()
	}
}

func (p *provider) remember(identity resource) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, known := range p.written {
		if known == identity {
			return
		}
	}
	p.written = append(p.written, identity)
}

// clear deletes what was written, the last first, again and again until nothing is left or nothing helps.
func (p *provider) clear() []string {
	for {
		var left []resource
		var problems []string
		for index := len(p.written) - 1; index >= 0; index-- {
			if err := p.erase(p.written[index]); err != nil {
				left = append([]resource{p.written[index]}, left...)
				problems = append(problems, fmt.Sprintf("%s: %v", p.written[index], err))
			}
		}
		stuck := len(left) == len(p.written)
		p.written = left
		if stuck {
			return problems
		}
	}
}

// erase deletes an entry of any name. The client does not escape names, so that Consul takes "a/../b" for "b".
func (p *provider) erase(identity resource) error {
	var name strings.Builder
	for _, each := range []byte(identity.Name) {
		fmt.Fprintf(&name, "%%%02X", each)
	}
	query := url.Values{}
	if identity.Namespace != "" {
		query.Set("ns", identity.Namespace)
	}
	if identity.Partition != "" {
		query.Set("partition", identity.Partition)
	}
	target := fmt.Sprintf("http://%s/v1/config/%s/%s?%s", p.address, identity.Kind, name.String(), query.Encode())
	request, err := http.NewRequest(http.MethodDelete, target, nil)
	if err != nil {
		return err
	}
	response, err := p.http.Do(request)
	if err != nil {
		return p.answered(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = api.StatusError{Code: response.StatusCode, Body: string(text)}
	}
	return err
}
