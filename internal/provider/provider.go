// Package provider reads provider documents in the published StackQL format
// (an OpenAPI 3 document per service plus x-stackQL-resources) and gives
// services, resources and methods: what each call needs, what it returns, how
// its pages follow each other. A service is parsed when it is first asked for.
//
// The package knows no cloud beyond its protocol family ([Family]) and sends
// nothing: a [Call] is plain data that package rest turns into a request. Start
// reading at [Open] and [Method].
package provider

import (
	"slices"

	"github.com/planeql/planeql/internal/openapi"
)

// Family is the protocol that all methods of a provider share and that its
// documents do not state: how lists page, how errors look, what an id is.
type Family string

// The families.
const (
	Generic Family = ""
	ARM     Family = "arm"    // Azure Resource Manager
	Google  Family = "google" // Google's APIs, by its API improvement proposals
	AWS     Family = "aws"    // the query, JSON and REST protocols of Amazon's services
	GitHub  Family = "github"
	Okta    Family = "okta"
	K8s     Family = "k8s" // Kubernetes
)

// Verb is the SQL verb that a method serves.
type Verb string

// The verbs of the format, in the order in which SHOW METHODS lists them.
const (
	Select  Verb = "select"
	Insert  Verb = "insert"
	Update  Verb = "update"
	Replace Verb = "replace"
	Delete  Verb = "delete"
	Exec    Verb = "exec"
)

// Resource is a collection of a cloud service with the methods that read and
// change it. It is immutable once loaded and may be shared by goroutines.
type Resource struct {
	Provider    string
	Service     string
	Name        string
	ID          string
	Title       string
	Description string
	Family      Family
	SigningName string             // by which AWS knows the service in signatures (info.x-serviceName); empty elsewhere
	Methods     []*Method          // in document order
	Verbs       map[Verb][]*Method // in the order in which they are tried; no entry for Exec
	View        string             // SELECT that stands for the resource; empty: it has methods of its own
	Problems    []error            // methods that the document describes wrongly and that are left out, and why
}

// Method finds a method by its exact name.
func (r *Resource) Method(name string) (*Method, bool) {
	for _, m := range r.Methods {
		if m.Name == name {
			return m, true
		}
	}
	return nil, false
}

// Path gives the dotted name, provider.service.resource.
func (r *Resource) Path() string { return r.Provider + "." + r.Service + "." + r.Name }

// Method is one operation of a resource. It is immutable once loaded.
type Method struct {
	Resource    *Resource
	Name        string
	Verbs       []Verb // the verbs it serves, Exec alone where there is none
	OperationID string
	Summary     string
	Description string

	HTTPMethod string      // upper case
	Server     string      // base URL without a trailing slash, with {name} for each parameter in it
	Servers    []Server    // that count in its place for some values of its variables
	Path       string      // path template with {name} for each path parameter, without a query
	Constants  []Constant  // query parameters that the document fixes, such as api-version
	Parameters []Parameter // in document order
	Body       *Body       // nil: the method takes none
	Response   Response
	Wire       Wire     // how arguments become a request, where it is not the usual way
	GraphQL    *GraphQL // nil: no query of that language

	NextLink    string    // member of the answer that holds the next page's URL; empty where the family rules
	Paging      *Paging   // how a list goes on by the document's own word; nil: it says nothing
	PageSize    *PageSize // how many items may be asked for; nil: the document says nothing
	LongRunning bool      // the document marks it so; any write of the ARM family may turn out so
	// FinalStateVia says where the result of a long-running operation is: azure-async-operation, location,
	// original-uri or operation-location; empty: the document does not say.
	FinalStateVia string
	ReadOnly      bool // changes nothing at the service: a GET, or a POST that is marked so
}

// PageSize is a parameter that says how many items an answer shall have.
type PageSize struct {
	Parameter string
	Usual     int // without it; 0: not known
	Most      int // 0: not known
}

// Constant is a query parameter with a fixed value.
type Constant struct{ Name, Value string }

// Server is a further server of a method: the one for some values of variables.
type Server struct {
	URL    string // as Method.Server
	Values map[string][]string
}

// ServerFor gives the base URL for the values of its variables.
func (m *Method) ServerFor(value func(name string) string) string {
	for _, s := range m.Servers {
		for name, values := range s.Values {
			if slices.Contains(values, value(name)) {
				return s.URL
			}
		}
	}
	return m.Server
}

// Location says where a parameter travels.
type Location string

// The locations of OpenAPI 3 that methods use, and the variables of a server's
// URL, which a document declares apart from the parameters.
const (
	InPath   Location = "path"
	InQuery  Location = "query"
	InHeader Location = "header"
	InServer Location = "server"
)

// The locations that are no parameters of OpenAPI: a member of the request's
// body, by which AWS and others list and filter, and the place of the cursor in
// a GraphQL query.
const (
	InBody   Location = "body"
	InCursor Location = "cursor"
)

// Parameter is a named input of a method, other than a member of its body.
type Parameter struct {
	Name        string // as on the wire
	In          Location
	Required    bool
	Description string
	Schema      *openapi.Schema
	Raw         bool   // the value is put into the path unescaped (x-ms-skip-url-encoding)
	Style       string // how a list or an object is written (OpenAPI 3, Parameter Object)
	Explode     bool   // each element of it for itself
}

// Wire says how the arguments of a method become a request.
type Wire struct {
	Form      bool   // the query goes as the form of a POST (get_query_to_post_form_utf_8)
	Canonical bool   // JSON in a query is written out as Key.1.Name (AWSCanonical)
	Drop      bool   // query parameters that begin with __ stay at home
	Protocol  string // info.x-protocol: query, ec2, json, rest-json, rest-xml
}

// Body is what a method takes as its request body.
type Body struct {
	MediaType string
	Required  bool
	Schema    *openapi.Schema  // of the members by which the body is given
	Extra     []openapi.Member // what the family takes beside the schema, whose document forgot it
	Naming    string           // requestBodyTranslate: "" means the data__ prefix
	Wrap      string           // member of Envelope that the given ones are put into; empty: none
	Envelope  *openapi.Schema  // of the body around it; nil where there is no Wrap
	Casing    string           // nativeCasing: what the service's own names look like
	Base      string           // JSON object that lies under the given members
	Default   string           // JSON that is sent where nothing is given
	Transform *Transform       // what is done to the body before it is sent; nil: nothing
}

// Response is where the rows of an answer are.
type Response struct {
	Statuses    []int           // success codes that the document lists
	ItemsPath   []string        // members to follow to the rows; empty: the answer is the row
	Item        *openapi.Schema // schema of a row; nil: the document does not say
	Envelope    *openapi.Schema // schema of the whole answer as the service sends it; nil: the document does not say
	List        bool            // the rows are a list; else the answer is one row
	Nested      bool            // the elements of the list may be lists of rows
	Description string
	MediaType   string
	Flatten     bool       // Item has the members of properties at the top, the wire has them below
	Transform   *Transform // what the answer is turned into before it is read; nil: nothing
}

// Transform turns a body into another by a rule of the document.
type Transform struct {
	Kind string // such as golang_template_json_v0.3.0
	Body string
}

// Call is one use of a method: what the request needs, nothing about HTTP.
type Call struct {
	Method    *Method
	Arguments []Argument
	Body      []byte     // JSON; nil: no body
	Headers   []Argument // that no document declares, such as If-Match
}

// Argument is the value of a parameter as text, in the form the wire wants.
type Argument struct{ Name, Value string }

// RequiredParameters gives the parameters without which the method cannot be
// called, in document order.
func (m *Method) RequiredParameters() []Parameter { return m.parameters(true) }

// OptionalParameters gives the others, in document order.
func (m *Method) OptionalParameters() []Parameter { return m.parameters(false) }

// parameters gives those that are required, or those that are not.
func (m *Method) parameters(required bool) []Parameter {
	var list []Parameter
	for _, p := range m.Parameters {
		if p.Required == required {
			list = append(list, p)
		}
	}
	return list
}

// Parameter finds a parameter by its name as on the wire.
func (m *Method) Parameter(name string) (Parameter, bool) {
	for _, p := range m.Parameters {
		if p.Name == name {
			return p, true
		}
	}
	return Parameter{}, false
}

// PathParameters gives the names of the path parameters in the order of the
// template.
func (m *Method) PathParameters() []string { return templateNames(m.Path) }

// FullName gives provider.service.resource.method.
func (m *Method) FullName() string { return m.Resource.Path() + "." + m.Name }
