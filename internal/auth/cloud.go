package auth

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// cloud is a national or private cloud: where its resource manager is, who
// signs people in, and for whom a token has to be.
type cloud struct {
	name      string
	endpoint  string
	authority string
	audience  string
}

// clouds are Azure's, as its SDKs list them.
var clouds = map[string]cloud{
	"public": {
		name: "public", endpoint: "https://management.azure.com",
		authority: "https://login.microsoftonline.com/", audience: "https://management.core.windows.net/",
	},
	"usgov": {
		name: "usgov", endpoint: "https://management.usgovcloudapi.net",
		authority: "https://login.microsoftonline.us/", audience: "https://management.core.usgovcloudapi.net/",
	},
	"china": {
		name: "china", endpoint: "https://management.chinacloudapi.cn",
		authority: "https://login.chinacloudapi.cn/", audience: "https://management.core.chinacloudapi.cn/",
	},
}

// Endpoint gives the base URL of Azure Resource Manager in the cloud that the
// settings name, the public one where they name none.
func Endpoint(s Settings) (string, error) {
	c, err := s.cloud(nil)
	return c.endpoint, err
}

// cloud finds the cloud. Without an option, AZURE_AUTHORITY_HOST tells it: an
// identity of one cloud is of no use in another.
func (s Settings) cloud(getenv func(string) string) (cloud, error) {
	name := strings.ToLower(s.Options["cloud"])
	if name == "custom" {
		return s.customCloud()
	}
	for _, key := range []string{"endpoint", "authority", "audience"} {
		if s.Options[key] != "" {
			return cloud{}, fault.New(fault.InvalidFlag, "the option %q goes with cloud=custom only", key).
				WithHint("add cloud=custom, or leave %q away", key)
		}
	}
	if name == "" {
		return cloudOfAuthority(getenv), nil
	}
	c, ok := clouds[name]
	if !ok {
		names := append(slices.Sorted(maps.Keys(clouds)), "custom")
		return cloud{}, fault.New(fault.InvalidFlag, "there is no cloud %q", name).
			WithHint("%s", fault.DidYouMean(name, names, "the clouds are "+strings.Join(names, ", ")))
	}
	return c, nil
}

// cloudOfAuthority finds the cloud by the sign-in host that the SDKs' variable
// names; an unknown one does not change anything, as it may be a private one whose
// endpoint nobody has told.
func cloudOfAuthority(getenv func(string) string) cloud {
	if getenv == nil {
		return clouds["public"]
	}
	host := hostOf(getenv("AZURE_AUTHORITY_HOST"))
	for _, c := range clouds {
		if host != "" && host == hostOf(c.authority) {
			return c
		}
	}
	return clouds["public"]
}

// hostOf gives the host of a URL for comparing.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// customCloud reads a private cloud from its options.
func (s Settings) customCloud() (cloud, error) {
	c := cloud{
		name: "custom", endpoint: strings.TrimRight(s.Options["endpoint"], "/"),
		authority: s.Options["authority"], audience: s.Options["audience"],
	}
	if c.audience == "" {
		c.audience = c.endpoint + "/"
	}
	for _, o := range []struct{ key, value string }{{"endpoint", c.endpoint}, {"authority", c.authority}} {
		u, err := url.Parse(o.value)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return cloud{}, fault.New(fault.InvalidFlag, "cloud=custom needs the option %q with an https URL", o.key).
				WithHint("the cloud tells both at ENDPOINT/metadata/endpoints?api-version=2022-09-01")
		}
	}
	return c, nil
}
