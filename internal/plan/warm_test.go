package plan_test

import (
	"context"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/providers"
)

// counted notes the services of which files are opened.
type counted struct {
	fs.FS
	mutex    sync.Mutex
	services map[string]bool
}

// Open implements fs.FS.
func (c *counted) Open(name string) (fs.File, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if service, _, ok := strings.Cut(path.Base(name), "."); ok && path.Base(path.Dir(name)) == "services" {
		c.services[service] = true
	}
	return c.FS.Open(name)
}

// What a plan asks of the documents is there when Warm has ended, and nothing
// is read above a resource whose places the statement names.
func TestWarm(t *testing.T) {
	for _, test := range []struct {
		text     string
		use      []string
		services int // that Warm reads
	}{
		{"SELECT * FROM azure.desktop_virtualization.user_sessions", nil, 3},
		{"SELECT * FROM user_sessions u, session_hosts AS h", []string{"azure", "desktop_virtualization"}, 3},
		{"SELECT 1 FROM `azure`.compute.virtual_machines v LEFT JOIN azure.desktop_virtualization.session_hosts h ON h.resourceId = v.id", nil, 5},
		{"SELECT * FROM azure.desktop_virtualization.user_sessions WHERE subscription_id = 's' AND resourceGroupName = 'g' AND hostPoolName = 'p'", nil, 1},
		{"SELECT * FROM no.such.thing, azure.x.y, 'file.csv', t JOIN", nil, 0},
	} {
		files := &counted{FS: providers.FS, services: map[string]bool{}}
		azure, err := provider.Open(files, "azure")
		if err != nil {
			t.Fatal(err)
		}
		p := planner(t)
		p.Catalog, p.Options.Use = catalog.New(azure), test.use
		statements, err := syntax.Parse(&fault.Source{Name: "query", Text: test.text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Warm(context.Background(), statements[0])
		if len(files.services) != test.services {
			t.Errorf("%s: Warm reads %v, not %d services", test.text, files.services, test.services)
		}
		if _, err := p.Build(statements[0]); err == nil && len(files.services) != test.services {
			t.Errorf("%s: the plan reads further services: %v", test.text, files.services)
		}
	}
}
