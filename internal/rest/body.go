package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transform"
)

// payload makes the body of a request and its media type: of what the call
// gives, of the arguments that are members of it, and of what the document adds.
// nil is no body.
func payload(call provider.Call, put []placed) (body []byte, kind string, err error) {
	m := call.Method
	b := m.Body
	if m.GraphQL != nil {
		body, err = graphQLBody(call, put)
		return body, "application/json", err
	}
	if b == nil {
		return call.Body, "application/json", nil
	}
	if kind = b.MediaType; kind == "" {
		kind = "application/json"
	}
	members, whole, err := given(call, put)
	if err != nil {
		return nil, "", err
	}
	if whole == nil && members == nil {
		return nil, "", nil
	}
	if whole == nil {
		whole = object(b, members)
	}
	if b.Transform != nil {
		if whole, err = transform.Run(b.Transform.Kind, b.Transform.Body, whole); err != nil {
			return nil, "", fault.New(fault.DocumentInvalid, "the document's rule for bodies, %s, failed", b.Transform.Kind).
				Because(err).On(m.FullName())
		}
	}
	return encode(m, whole, kind)
}

// given gathers the members of a body. whole is a body that is no object, or the
// document's own where nothing is given.
func given(call provider.Call, put []placed) (members map[string]json.RawMessage, whole []byte, err error) {
	b := call.Method.Body
	if call.Body != nil {
		if json.Unmarshal(call.Body, &members) != nil || members == nil {
			return nil, call.Body, nil
		}
	}
	for _, a := range call.Arguments {
		p, ok := call.Method.Parameter(a.Name)
		if !ok || p.In != provider.InBody {
			continue
		}
		value, err := bodyValue(call.Method, p, a.Value)
		if err != nil {
			return nil, nil, err
		}
		members = with(members, a.Name, value)
	}
	if members == nil && b.Default != "" && len(put) == 0 {
		return nil, []byte(b.Default), nil
	}
	for _, p := range put {
		if p.in == provider.InBody {
			members = with(members, p.name, json.RawMessage(p.value))
		}
	}
	if b.Base != "" {
		members = with(members, "", nil)
	}
	return members, nil, nil
}

// with adds a member to an object that need not be there yet; none where the
// name is empty.
func with(members map[string]json.RawMessage, name string, value json.RawMessage) map[string]json.RawMessage {
	if members == nil {
		members = map[string]json.RawMessage{}
	}
	if name != "" {
		members[name] = value
	}
	return members
}

// object makes the body of its members: wrapped where the document wants it,
// above what it puts into every body, with texts of JSON where it wants those.
// A body that has the wrapping member already was given as a whole.
func object(b *provider.Body, members map[string]json.RawMessage) []byte {
	schema := b.Schema
	if b.Wrap != "" {
		schema = b.Envelope
		if _, whole := members[b.Wrap]; !whole {
			members = wrapped(b, members)
		}
	}
	all := b.Fixed()
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, members)
	for name, value := range all {
		if s := schema.Member(name); s != nil && s.TextOnly && len(value) > 0 && value[0] != '"' {
			all[name], _ = json.Marshal(string(value)) // a text always has a form
		}
	}
	body, _ := json.Marshal(all) // its values are JSON
	return body
}

// wrapped puts the given members into the one that takes them, save those that
// stand beside it, such as the tokens of a client.
func wrapped(b *provider.Body, members map[string]json.RawMessage) map[string]json.RawMessage {
	inner, outer := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, value := range members {
		if b.Schema.Member(name) == nil && b.Envelope.Member(name) != nil {
			outer[name] = value
			continue
		}
		inner[name] = value
	}
	outer[b.Wrap], _ = json.Marshal(inner) // its values are JSON
	return outer
}

// bodyValue gives an argument as the JSON that the schema asks for.
func bodyValue(m *provider.Method, p provider.Parameter, text string) (json.RawMessage, error) {
	kind := p.Schema.Type
	trimmed := strings.TrimSpace(text)
	valid := json.Valid([]byte(trimmed))
	first := byte(0)
	if trimmed != "" {
		first = trimmed[0]
	}
	switch {
	case kind == "string" || kind == "" && (!valid || first != '{' && first != '['):
		value, err := json.Marshal(text)
		return value, err
	case kind == "array" && first != '[':
		value, err := json.Marshal([]string{text})
		return value, err
	case !valid, kind == "object" && first != '{', slices.Contains([]string{"integer", "number", "boolean"}, kind) && strings.ContainsRune(`{["`, rune(first)):
		return nil, fault.New(fault.InvalidValue, "%q takes a value of the type %s, not %q", p.Name, kind, text).On(m.FullName()).
			WithHint("an object or a list is given as JSON: %s = '{\"name\": \"value\"}'", p.Name)
	}
	return json.RawMessage(trimmed), nil
}

// encode writes a body in the media type of the method.
func encode(m *provider.Method, body []byte, kind string) ([]byte, string, error) {
	base, _, _ := strings.Cut(kind, ";")
	switch base = strings.TrimSpace(base); {
	case strings.Contains(base, "json"):
		return body, kind, nil
	case strings.HasSuffix(base, "xml"):
		encoded, err := xmlBody(m, body)
		return encoded, kind, err
	case base == "application/x-www-form-urlencoded":
		encoded, err := formBody(m, body)
		return encoded, kind, err
	case base == "multipart/form-data":
		return multipartBody(m, body)
	}
	if text, ok := textOf(body); ok {
		return []byte(text), kind, nil
	}
	if body[0] != '{' && body[0] != '[' {
		return body, kind, nil
	}
	return nil, "", unwritable(m, kind)
}

// unwritable makes the fault of a body whose media type has no members.
func unwritable(m *provider.Method, kind string) error {
	return fault.New(fault.NotSupported, "a body of the type %s has no members that could be given by name", kind).
		WithHint(`give it as one text: EXEC %s @@json = '"…"'`, m.FullName()).On(m.FullName())
}

// fields gives the members of a body as texts, by name.
func fields(m *provider.Method, body []byte, kind string) (names []string, values map[string][]string, err error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil, nil, unwritable(m, kind)
	}
	values = map[string][]string{}
	for name, raw := range members {
		var list []json.RawMessage
		if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
			list = []json.RawMessage{raw}
		}
		for _, item := range list {
			text, ok := scalar(item)
			if !ok {
				text = string(item)
			}
			values[name] = append(values[name], text)
		}
	}
	return slices.Sorted(maps.Keys(values)), values, nil
}

// formBody writes a form: a list repeats its name.
func formBody(m *provider.Method, body []byte) ([]byte, error) {
	_, values, err := fields(m, body, "application/x-www-form-urlencoded")
	return []byte(url.Values(values).Encode()), err
}

// multipartBody writes the parts of a form; those that the schema calls binary
// are files.
func multipartBody(m *provider.Method, body []byte) ([]byte, string, error) {
	names, values, err := fields(m, body, "multipart/form-data")
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range names {
		for _, value := range values[name] {
			create := w.CreateFormField
			if isBinary(m.Body.Schema.Member(name)) {
				create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, name) }
			}
			part, err := create(name)
			if err == nil {
				_, err = part.Write([]byte(value))
			}
			if err != nil {
				return nil, "", err
			}
		}
	}
	err = w.Close()
	return b.Bytes(), w.FormDataContentType(), err
}

// isBinary tells whether a member is a file, or a list of files.
func isBinary(s *openapi.Schema) bool {
	if s != nil && s.Type == "array" {
		s = s.Items()
	}
	return s != nil && s.Format == "binary"
}
