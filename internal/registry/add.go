package registry

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// Add installs local documents: all providers below a folder, at whatever level
// of the published layout it is, or the document of one service.
func (f Folder) Add(location string) ([]Installed, error) {
	info, err := os.Stat(location)
	if err != nil {
		return nil, fault.New(fault.DocumentMissing, "there is nothing at %q", location).Because(err)
	}
	if !info.IsDir() {
		i, err := f.addService(location)
		return []Installed{i}, err
	}
	folders := versionFolders(location)
	if len(folders) == 0 {
		return nil, fault.New(fault.DocumentMissing, "there is no provider.yaml below %q", location).
			WithHint("the published layout is PROVIDER/VERSION/provider.yaml with the services beside it")
	}
	var list []Installed
	for _, folder := range folders {
		i, err := f.addVersion(folder)
		if err != nil {
			return list, err
		}
		list = append(list, i)
	}
	return list, nil
}

// versionFolders finds the folders with a provider.yaml, at most as deep as a
// registry has them: src/PROVIDER/VERSION.
func versionFolders(location string) []string {
	var folders []string
	for _, pattern := range []string{"", "*", "*/*", "*/*/*"} {
		// The pattern is sound, and what is special in the location is not part of it.
		files, _ := fs.Glob(os.DirFS(location), path.Join(pattern, "provider.yaml"))
		for _, file := range files {
			folders = append(folders, filepath.Join(location, filepath.FromSlash(path.Dir(file))))
		}
	}
	return folders
}

// addVersion installs the documents of one folder. The name and the version are
// those of its provider.yaml.
func (f Folder) addVersion(folder string) (Installed, error) {
	files, err := collect(os.DirFS(folder))
	if err != nil {
		return Installed{}, err
	}
	doc, err := openapi.Parse(filepath.Join(folder, "provider.yaml"), files["provider.yaml"])
	if err == nil {
		err = doc.Check()
	}
	if err != nil {
		return Installed{}, err
	}
	name, version := doc.Root().At("name").Text(), doc.Root().At("version").Text()
	if version == "" {
		version = filepath.Base(folder)
	}
	if checkNames(name, version) != nil || version == "." {
		return Installed{}, doc.Root().Invalid("the provider.yaml has no name and version that can be installed: %q, %q", name, version)
	}
	return f.install(Installed{Name: name, Version: version, Source: folder, SHA256: checksum(files)}, files)
}

// localVersion is what a version is called to which a document was added.
const localVersion = "+local"

// addService installs the document of one service: into a version of its own,
// which has besides it what the newest version of the provider has.
func (f Folder) addService(file string) (Installed, error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > openapi.MaxSize {
		return Installed{}, openapi.TooLarge(file, info.Size())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return Installed{}, fault.New(fault.DocumentMissing, "the document %q cannot be read", file).Because(err)
	}
	doc, err := openapi.Parse(file, data)
	if err != nil {
		return Installed{}, err
	}
	name, service, err := owner(doc)
	if err != nil {
		return Installed{}, err
	}
	base, files := "v0.0.0", map[string][]byte{}
	if _, all := provider.Installed(f.Path); len(all[name]) > 0 {
		base = all[name][len(all[name])-1]
		if files, err = collect(os.DirFS(f.version(name, base))); err != nil {
			return Installed{}, err
		}
	}
	version := strings.TrimSuffix(base, localVersion) + localVersion
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return path.Ext(name) == ".sig" })
	files["services/"+service+".yaml"] = data
	if files["provider.yaml"], err = withService(files["provider.yaml"], name, version, service); err != nil {
		return Installed{}, doc.Root().Invalid("the provider.yaml of %s cannot be completed", name).Because(err)
	}
	local := f
	local.Keys = nil // what somebody has on his disk he trusts
	return local.install(Installed{Name: name, Version: version, Source: file, SHA256: checksum(files)}, files)
}

// owner gives the provider and the service of a document: its resources say it.
func owner(doc *openapi.Document) (name, service string, err error) {
	for _, e := range doc.Root().At("components", "x-stackQL-resources").Entries() {
		parts := strings.Split(e.Value.At("id").Text(), ".")
		if len(parts) == 3 && checkNames(parts[0], "") == nil && checkNames(parts[1], "") == nil {
			return parts[0], parts[1], nil
		}
	}
	return "", "", doc.Root().Invalid("no resource of the document has an id such as provider.service.resource").
		WithHint("the ids below components.x-stackQL-resources say where the resources belong")
}

// withService gives a provider.yaml that has the service; an empty one is made.
func withService(text []byte, name, version, service string) ([]byte, error) {
	root := map[string]any{}
	if err := yaml.Load(text, &root); len(text) > 0 && err != nil {
		return nil, err
	}
	if len(root) == 0 {
		root = map[string]any{"id": name, "name": name, "title": name, "config": map[string]any{"auth": map[string]any{"type": "null_auth"}}}
	}
	root["version"] = version
	services, ok := root["providerServices"].(map[string]any)
	if !ok {
		services = map[string]any{}
	}
	services[service] = map[string]any{
		"id": service + ":" + version, "name": service, "title": service, "version": version, "preferred": true,
		"service": map[string]any{"$ref": name + "/" + version + "/services/" + service + ".yaml"},
	}
	root["providerServices"] = services
	return yaml.Dump(root)
}

// Names gives the providers of a list, each once.
func Names(list []Installed) []string {
	var names []string
	for _, i := range list {
		if !slices.Contains(names, i.Name) {
			names = append(names, i.Name)
		}
	}
	return names
}
