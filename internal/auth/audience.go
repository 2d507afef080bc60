package auth

import (
	"net"
	"strings"
)

// plane is a data plane of Azure: hosts below a domain, and for whom a token has
// to be there.
type plane struct{ domain, audience string }

// planes are Azure's data planes by cloud. A domain that begins with a dot has
// a host for each resource.
var planes = map[string][]plane{
	"public": {
		{"graph.microsoft.com", "https://graph.microsoft.com"},
		{".vault.azure.net", "https://vault.azure.net"}, {".managedhsm.azure.net", "https://managedhsm.azure.net"},
		{".blob.core.windows.net", "https://storage.azure.com"}, {".queue.core.windows.net", "https://storage.azure.com"},
		{".file.core.windows.net", "https://storage.azure.com"}, {".table.core.windows.net", "https://storage.azure.com"},
		{".dfs.core.windows.net", "https://storage.azure.com"}, {".table.cosmos.azure.com", "https://cosmos.azure.com"},
		{".documents.azure.com", "https://cosmos.azure.com"},
		{"api.loganalytics.io", "https://api.loganalytics.io"}, {"api.loganalytics.azure.com", "https://api.loganalytics.io"},
		{"api.applicationinsights.io", "https://api.applicationinsights.io"}, {".monitor.azure.com", "https://monitor.azure.com"},
		{".search.windows.net", "https://search.azure.com"}, {".azconfig.io", "https://azconfig.io"},
		{".cognitiveservices.azure.com", "https://cognitiveservices.azure.com"}, {".openai.azure.com", "https://cognitiveservices.azure.com"},
		{".services.ai.azure.com", "https://ai.azure.com"}, {".dev.azuresynapse.net", "https://dev.azuresynapse.net"},
		{".servicebus.windows.net", "https://servicebus.azure.net"}, {".eventgrid.azure.net", "https://eventgrid.azure.net"},
		{".batch.azure.com", "https://batch.core.windows.net"}, {".purview.azure.com", "https://purview.azure.net"},
		{".webpubsub.azure.com", "https://webpubsub.azure.com"}, {".communication.azure.com", "https://communication.azure.com"},
		{".confidential-ledger.azure.com", "https://confidential-ledger.azure.com"}, {".attest.azure.net", "https://attest.azure.net"},
		{".devcenter.azure.com", "https://devcenter.azure.com"}, {".digitaltwins.azure.net", "https://digitaltwins.azure.net"},
		{"atlas.microsoft.com", "https://atlas.microsoft.com"},
	},
	"usgov": {
		{"graph.microsoft.us", "https://graph.microsoft.us"}, {"dod-graph.microsoft.us", "https://dod-graph.microsoft.us"},
		{".vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net"},
		{".blob.core.usgovcloudapi.net", "https://storage.azure.com"}, {".queue.core.usgovcloudapi.net", "https://storage.azure.com"},
		{".file.core.usgovcloudapi.net", "https://storage.azure.com"}, {".table.core.usgovcloudapi.net", "https://storage.azure.com"},
		{".dfs.core.usgovcloudapi.net", "https://storage.azure.com"}, {"api.loganalytics.us", "https://api.loganalytics.us"},
	},
	"china": {
		{"microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
		{".vault.azure.cn", "https://vault.azure.cn"},
		{".blob.core.chinacloudapi.cn", "https://storage.azure.com"}, {".queue.core.chinacloudapi.cn", "https://storage.azure.com"},
		{".file.core.chinacloudapi.cn", "https://storage.azure.com"}, {".table.core.chinacloudapi.cn", "https://storage.azure.com"},
		{".dfs.core.chinacloudapi.cn", "https://storage.azure.com"}, {"api.loganalytics.azure.cn", "https://api.loganalytics.azure.cn"},
	},
}

// audienceOf tells for whom a token has to be at a host. A host that is not
// known gets one for itself alone: no other service takes that.
func (c cloud) audienceOf(host string) string {
	host = strings.ToLower(host)
	ip := net.ParseIP(host)
	if host == hostname(c.endpoint) || host == "localhost" || ip != nil && ip.IsLoopback() {
		return c.audience
	}
	for _, p := range planes[c.name] {
		if host == p.domain || p.domain[0] == '.' && strings.HasSuffix(host, p.domain) {
			return p.audience
		}
	}
	return "https://" + host
}

// hostname gives the host of a URL without its port, for comparing.
func hostname(text string) string {
	host, _, _ := strings.Cut(hostOf(text), ":")
	return host
}

// origins gives where tokens of the cloud may go: its resource manager and its
// data planes.
func (c cloud) origins() []string {
	list := []string{c.endpoint}
	for _, p := range planes[c.name] {
		list = append(list, "https://"+strings.Replace(p.domain, ".", "*.", strings.Count(p.domain[:1], ".")))
	}
	return list
}
