package planeql_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/build"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

// builtAzure gives the built-in provider with Azure Virtual Desktop built from
// Microsoft's specification in the place of its own document.
func builtAzure(t *testing.T) fs.FS {
	t.Helper()
	folder := shared(t, "corpus", "swagger", "desktopvirtualization-2024-04-03")
	r, err := build.Build(os.DirFS(folder), ".", build.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Provider != "azure" || r.Service != "desktop_virtualization" || len(r.Problems) > 0 {
		t.Fatalf("%s.%s, %v", r.Provider, r.Service, r.Problems)
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(providers.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(providers.FS, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range r.Files {
		if strings.HasPrefix(name, "azure/"+build.Version+"/services/") {
			files[name] = &fstest.MapFile{Data: data}
		}
	}
	return files
}

// What is built from Microsoft's specification of Azure Virtual Desktop answers
// the statements of the page that started the project, with the same requests.
func TestBuilt_seedPage(t *testing.T) {
	files := builtAzure(t)
	for i, block := range seedBlocks(t) {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		values := aSession(t, open(t, url))
		c := seedCases(values)[i]
		fillSeed(values)
		s := open(t, url, planeql.WithVariables(values), planeql.WithDocuments(files, "azure"))
		sim.ResetRequests()
		c.rows(t, must(t, s, block))
		checkSeedRequest(t, sim.Requests(), c, values["subscriptionId"])
	}
}

// It answers the question for all sessions of the estate with the same calls.
func TestBuilt_estate(t *testing.T) {
	files := builtAzure(t)
	const estate = `SELECT subscription_id, host_pool_name, session_state, count(*) FROM azure.desktop_virtualization.user_sessions GROUP BY ALL ORDER BY ALL`
	var want string
	for _, opts := range [][]planeql.Option{nil, {planeql.WithDocuments(files, "azure")}} {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		rows := must(t, open(t, url, opts...), estate)
		got := fmt.Sprint(rows, len(sim.Requests()))
		if want != "" && got != want {
			t.Errorf("built: %s\nbuilt in: %s", got, want)
		}
		want = got
	}
}

// Names, verbs and places of rows are those of the built-in document but for what
// is listed here.
func TestBuilt_names(t *testing.T) {
	// The group of an operation's id is another; that a POST only reads is not said.
	differ := strings.NewReplacer(
		"app_attach_package_info.import ", "app_attach_packages.import_info ",
		"retrieve_registration_token [] false false", "retrieve_registration_token [] false true",
	)
	list := func(files fs.FS) map[string]string {
		p, err := provider.Open(files, "azure")
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Service("desktop_virtualization")
		if err != nil || len(s.Problems()) > 0 {
			t.Fatal(err, s.Problems())
		}
		names := map[string]string{}
		for _, r := range s.Resources() {
			for _, m := range r.Methods {
				path := m.HTTPMethod + " " + strings.ToLower(m.Path)
				names[path] = fmt.Sprintf("%s.%s %v", r.Name, m.Name, m.Verbs)
				names[path+" rows"] = fmt.Sprintf("%s.%s %v %t %t %t", r.Name, m.Name, m.Response.ItemsPath, m.Response.List, m.ReadOnly, m.LongRunning)
			}
		}
		return names
	}
	own, made := list(providers.FS), list(builtAzure(t))
	if len(own) != 160 || len(made) != len(own) {
		t.Fatalf("%d operations, built %d", len(own)/2, len(made)/2)
	}
	var unlike []string
	for path, name := range own {
		if differ.Replace(made[path]) != name {
			unlike = append(unlike, path+": built "+made[path]+", built in "+name)
		}
	}
	slices.Sort(unlike)
	if len(unlike) > 0 {
		t.Errorf("%d differ:\n%s", len(unlike), strings.Join(unlike, "\n"))
	}
}
