package provider

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// Provider is a provider whose provider.yaml has been read. It may be shared by
// goroutines.
type Provider struct {
	Name        string
	Version     string // of the documents, such as v0.3.0
	Title       string
	Description string
	AuthType    string            // config.auth.type, such as azure_default; empty where unstated
	Auth        map[string]string // config.auth, flat: a member of successor is successor.name
	Family      Family
	Services    []ServiceInfo // in document order
	Err         error         // why nothing of it can be read; nil: it can

	parts    []*Provider // of which it is put together; nil: it is one
	docs     documents
	folder   string // of the version
	config   *openapi.Node
	services map[string]*slot
}

// ServiceInfo is what provider.yaml says of a service.
type ServiceInfo struct {
	Name        string
	Title       string
	Description string
	Version     string
	file        string // inside the folder of the version
	config      *openapi.Node
}

// slot holds a service once it is loaded.
type slot struct {
	open    func() (*Service, error)
	once    sync.Once
	service *Service
	err     error
}

// families are the published providers whose services all speak one protocol.
var families = map[string]Family{
	"azure": ARM, "azure_extras": ARM, "azure_isv": ARM, "azure_stack": ARM,
	"google": Google, "googleadmin": Google, "googleworkspace": Google, "firebase": Google,
	"aws": AWS, "awscc": AWS, "github": GitHub, "okta": Okta, "k8s": K8s,
}

// googleFolder is where the provider google lives: the one name in the format
// that is not its folder's.
const googleFolder = "googleapis.com"

// Open reads the provider.yaml of the newest version of a provider. files holds
// <provider>/<version>/provider.yaml. No service is read. The error is a
// fault.DocumentMissing or a fault.DocumentInvalid.
func Open(files fs.FS, name string) (*Provider, error) {
	return open(documents{files: files}, name, "")
}

// open reads the provider.yaml of a version of a provider; an empty version is
// the newest.
func open(docs documents, name, version string) (*Provider, error) {
	folder := Folder(name)
	if version == "" {
		versions, err := sorted(docs.files, folder)
		if err != nil {
			return nil, notInstalled(name, "", err)
		}
		version = versions[len(versions)-1]
	}
	folder = path.Join(folder, version)
	doc, err := docs.document(folder, "provider.yaml")
	if err != nil && fault.As(err) == nil {
		return nil, notInstalled(name, version, err)
	}
	if err == nil {
		err = doc.Check()
	}
	if err != nil {
		return nil, err
	}
	p := &Provider{Name: name, docs: docs, folder: folder}
	p.read(doc.Root())
	if p.Version == "" {
		p.Version = version
	}
	return p, nil
}

// missing makes the error for documents that are not there.
func missing(format string, args ...any) *fault.Error {
	return fault.New(fault.DocumentMissing, format, args...).
		WithHint("planeql provider list shows what is installed; planeql provider pull fetches more")
}

// read takes over what provider.yaml says. Unknown keys mean nothing here.
func (p *Provider) read(root *openapi.Node) {
	p.Version = root.At("version").Text()
	p.Title = root.At("title").Text()
	p.Description = root.At("description").Text()
	p.config = root.At("config")
	p.Auth = authOf(p.config.At("auth"))
	p.AuthType = p.Auth["type"]
	p.Family = families[p.Name]
	p.services = map[string]*slot{}
	for _, e := range root.At("providerServices").Entries() {
		info := ServiceInfo{
			Name:        e.Key,
			Title:       e.Value.At("title").Text(),
			Description: e.Value.At("description").Text(),
			Version:     e.Value.At("version").Text(),
			file:        inVersion(e.Value.At("service", "$ref").Text()),
			config:      e.Value.At("config"),
		}
		p.Services = append(p.Services, info)
		p.services[e.Key] = &slot{open: func() (*Service, error) { return p.open(info) }}
	}
}

// inVersion takes provider and version off a service.$ref, which counts from
// the folder above the provider's: the folder in which the provider was found
// decides, not the one that the document was written for.
func inVersion(ref string) string {
	parts := strings.SplitN(ref, "/", 3)
	return parts[len(parts)-1]
}

// sorted gives the versions of a provider that are there, the newest last.
func sorted(files fs.FS, folder string) ([]string, error) {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, e := range entries {
		if _, err := fs.Stat(files, path.Join(folder, e.Name(), "provider.yaml")); err == nil {
			versions = append(versions, e.Name())
		}
	}
	if len(versions) == 0 {
		return nil, fs.ErrNotExist
	}
	slices.SortFunc(versions, CompareVersions)
	return versions, nil
}

// CompareVersions orders v1.2.3 by its numbers, so that v0.10.0 is after
// v0.9.0, and v1.0.0-rc1 before v1.0.0. The format's v00.00.00000 is no semantic
// version, hence not the rule of those. Names that are no versions come first,
// by text.
func CompareVersions(a, b string) int {
	x, y := numbers(a), numbers(b)
	if order := slices.Compare(x, y); order != 0 {
		return order
	}
	_, first, _ := strings.Cut(a, "-")
	_, second, _ := strings.Cut(b, "-")
	if x != nil && (first == "") != (second == "") {
		return len(second) - len(first) // the one without is after all
	}
	return strings.Compare(a, b)
}

// numbers gives the numbers of a version, nil for a name that is none. What
// follows a hyphen, a pre-release, or a plus, is none of them.
func numbers(version string) []int {
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	var list []int
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		list = append(list, n)
	}
	return list
}

// Service gives a service by its exact name. Its document is read at the first
// call. The error is a fault.UndefinedTable, fault.DocumentMissing or
// fault.DocumentInvalid.
func (p *Provider) Service(name string) (*Service, error) {
	s := p.services[name]
	if s == nil && p.Err != nil {
		return nil, p.Err
	}
	if s == nil {
		return nil, fault.New(fault.UndefinedTable, "the provider %q has no service %q", p.Name, name).
			WithHint("SHOW SERVICES IN %s lists them", p.Name)
	}
	s.once.Do(func() { s.service, s.err = s.open() })
	return s.service, s.err
}

// open reads the document of a service.
func (p *Provider) open(info ServiceInfo) (*Service, error) {
	doc, err := p.docs.document(p.folder, info.file)
	if fault.As(err) == nil && err != nil {
		return nil, missing("the document of the service %q is not there: %s", p.Name+"."+info.Name, path.Join(p.folder, info.file)).
			Because(err)
	}
	if err != nil {
		return nil, err
	}
	return newService(p, info, doc)
}

// find gives the name of a file, which may be written with other case than in
// the document: such documents were published from systems that do not tell.
func (d documents) find(file string) (string, error) {
	if !fs.ValidPath(file) {
		return "", fs.ErrInvalid
	}
	_, err := fs.Stat(d.files, file)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	entries, _ := fs.ReadDir(d.files, path.Dir(file))
	for _, e := range entries {
		if strings.EqualFold(e.Name(), path.Base(file)) {
			return path.Join(path.Dir(file), e.Name()), nil
		}
	}
	return "", err
}
