package build

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v4"
)

// servers gives the servers of an operation where they are not those of the
// service: its own, its path's, those of its document where several are read.
func (b *builder) servers(d *document, item, n *yaml.Node) *yaml.Node {
	for _, level := range []*yaml.Node{n, item} {
		if s := value(level, "servers"); is(s) && len(s.Content) > 0 {
			return clone(s)
		}
	}
	own := documentServers(d)
	if len(own.Content) == 0 || bytes.Equal(encode(own), b.home) {
		return nil
	}
	return own
}

// firstServer gives the URL of the first server.
func firstServer(own *yaml.Node, d *document) string {
	if own == nil {
		own = documentServers(d)
	}
	if len(own.Content) == 0 {
		return ""
	}
	return value(own.Content[0], "url").Value
}

// documentServers gives the servers of a document. Swagger puts them together from
// scheme, host and path; a host with parameters is Microsoft's.
func documentServers(d *document) *yaml.Node {
	if !d.swagger {
		if s := value(d.root, "servers"); is(s) {
			return clone(s)
		}
		return list()
	}
	scheme := "https"
	if all := texts(value(d.root, "schemes")); len(all) > 0 && !strings.Contains(strings.Join(all, " "), "https") {
		scheme = all[0]
	}
	base := strings.TrimRight(value(d.root, "basePath").Value, "/")
	host := value(d.root, "host").Value
	template := value(d.root, "x-ms-parameterized-host")
	if !is(template) {
		if host == "" {
			return list()
		}
		return list(mapping("url", scheme+"://"+host+base))
	}
	address := value(template, "hostTemplate").Value
	if value(template, "useSchemePrefix").Value != "false" && !strings.Contains(address, "://") {
		address = scheme + "://" + address
	}
	variables := mapping()
	for _, p := range value(template, "parameters").Content {
		p = parameterOf(d, p)
		v := mapping("default", value(p, "default").Value)
		if e := value(p, "enum"); is(e) {
			set(v, "enum", clone(e))
		}
		if text := value(p, "description"); is(text) {
			set(v, "description", clone(text))
		}
		set(variables, value(p, "name").Value, v)
	}
	// The value of an endpoint is a URL in Microsoft's descriptions, its host here.
	address = strings.Replace(address, "https://https://", "https://", 1)
	server := mapping("url", address+base)
	if len(variables.Content) > 0 {
		set(server, "variables", variables)
	}
	return list(server)
}

// parameterOf follows a reference to a parameter of the same file.
func parameterOf(d *document, p *yaml.Node) *yaml.Node {
	if name, ok := strings.CutPrefix(value(p, "$ref").Value, "#/parameters/"); ok {
		return value(d.root, "parameters", name)
	}
	return p
}

// authOf gives config.auth for what the documents say of signing in. The first
// scheme that the format knows is taken.
func authOf(docs []*document, provider string, arm bool) *yaml.Node {
	if arm {
		return mapping("type", "azure_default")
	}
	prefix := strings.ToUpper(provider)
	found := mapping("type", "null_auth")
	for _, d := range docs {
		schemes := value(d.root, "components", "securitySchemes")
		if d.swagger {
			schemes = value(d.root, "securityDefinitions")
		}
		done := false
		members(schemes, func(_ string, s *yaml.Node) {
			if auth := authOfScheme(s, prefix); auth != nil && !done {
				found, done = auth, true
			}
		})
		if done {
			break
		}
	}
	return found
}

// authOfScheme gives config.auth for one scheme, nil for one that is not known.
func authOfScheme(s *yaml.Node, prefix string) *yaml.Node {
	kind, scheme := value(s, "type").Value, strings.ToLower(value(s, "scheme").Value)
	switch {
	case kind == "basic", kind == "http" && scheme == "basic":
		return mapping("type", "basic", "username_var", prefix+"_USERNAME", "password_var", prefix+"_PASSWORD")
	case kind == "http" && scheme == "bearer":
		return mapping("type", "bearer", "credentialsenvvar", prefix+"_TOKEN")
	case kind == "apiKey" && value(s, "in").Value != "cookie":
		return mapping("type", "custom", "location", value(s, "in").Value, "name", value(s, "name").Value, "credentialsenvvar", prefix+"_API_KEY")
	case kind == "oauth2":
		if flow := value(s, "flows", "clientCredentials"); is(flow) {
			return mapping("type", "oauth2", "grant_type", "client_credentials", "client_id_env_var", prefix+"_CLIENT_ID",
				"client_secret_env_var", prefix+"_CLIENT_SECRET", "token_url", value(flow, "tokenUrl").Value)
		}
		return mapping("type", "bearer", "credentialsenvvar", prefix+"_TOKEN")
	}
	return nil
}
