package build

import (
	"regexp"
	"strings"
)

// acronyms are words whose capitals the rule of snake would part wrongly.
var acronyms = strings.NewReplacer(
	"IPv4", "Ipv4", "IPv6", "Ipv6", "VMs", "Vms", "IDs", "Ids", "URLs", "Urls", "APIs", "Apis", "SKUs", "Skus", "IPs", "Ips",
	"OAuth", "Oauth", "GitHub", "Github", "DNSs", "Dnss", "VNet", "Vnet",
)

var (
	lowerUpper   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	upperCapital = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`)
	notWord      = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

// snake writes a name in lower case with underscores: MSIXPackages is
// msix_packages.
func snake(name string) string {
	name = acronyms.Replace(name)
	name = upperCapital.ReplaceAllString(name, "${1}_$2")
	name = lowerUpper.ReplaceAllString(name, "${1}_$2")
	return strings.ToLower(strings.Trim(notWord.ReplaceAllString(name, "_"), "_"))
}

// word makes one word of a title.
func word(title string) string { return notWord.ReplaceAllString(title, "_") }

// human writes a name for people: user_sessions is User sessions.
func human(name string) string {
	name = strings.ReplaceAll(name, "_", " ")
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// segments gives the parts of a path, without its query.
func segments(path string) []string {
	path, _, _ = strings.Cut(path, "?")
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// isParameter tells whether a part of a path begins with a parameter.
func isParameter(segment string) bool { return strings.HasPrefix(segment, "{") }
