package rest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/planeql/planeql/internal/provider"
)

// s3Namespace is the one that S3's bodies are in; its documents do not say it.
const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// xmlBody writes a body as XML: members are elements, lists repeat theirs. A
// body of one object is its root element, as in AWS's REST protocol; others get
// the name of their operation.
func xmlBody(m *provider.Method, body []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if text, ok := textOf(body); ok {
		return []byte(text), nil // XML as it is
	}
	if json.Unmarshal(body, &members) != nil {
		return nil, unwritable(m, "application/xml")
	}
	root, content := m.OperationID+"Request", body
	for name, value := range members {
		if len(members) == 1 && len(value) > 0 && value[0] == '{' {
			root, content = name, value
		}
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	attributes := ""
	if m.Resource.Family == provider.AWS && m.Resource.Service == "s3" {
		attributes = ` xmlns="` + s3Namespace + `"`
	}
	d := jsontext.NewDecoder(bytes.NewReader(content), jsontext.AllowDuplicateNames(true))
	err := xmlElement(&b, d, root, attributes)
	return b.Bytes(), err
}

// xmlElement writes the value that comes next as an element, or as several of
// the same name.
func xmlElement(b *bytes.Buffer, d *jsontext.Decoder, name, attributes string) error {
	switch d.PeekKind() {
	case '[':
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() != ']' {
			if err := xmlElement(b, d, name, attributes); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	case 'n':
		return d.SkipValue()
	}
	b.WriteString("<" + name + attributes + ">")
	if err := xmlContent(b, d); err != nil {
		return err
	}
	b.WriteString("</" + name + ">")
	return nil
}

// xmlContent writes what is inside an element.
func xmlContent(b *bytes.Buffer, d *jsontext.Decoder) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '{' {
		return xml.EscapeText(b, []byte(token.String()))
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := xmlElement(b, d, name.String(), ""); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}
