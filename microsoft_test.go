package planeql_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/desktopvirtualization/armdesktopvirtualization/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// anyToken is a credential that the simulator takes.
type anyToken struct{}

func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "any", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// beside starts a simulator over TLS, and gives a session and Microsoft's clients on it.
func beside(t *testing.T) (*planeql.Session, *armdesktopvirtualization.ClientFactory) {
	t.Helper()
	server, err := armsim.StartTLS("127.0.0.1:0", filepath.Join(t.TempDir(), "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Trust(), MinVersion: tls.VersionTLS12}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	clients, err := armdesktopvirtualization.NewClientFactory(armsim.ProductionSubscription, anyToken{}, &arm.ClientOptions{
		DisableRPRegistration: true,
		ClientOptions: policy.ClientOptions{
			Transport: &http.Client{Transport: transport},
			Cloud: azcloud.Configuration{
				ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/",
				Services: map[azcloud.ServiceName]azcloud.ServiceConfiguration{
					azcloud.ResourceManager: {Endpoint: server.URL, Audience: "https://management.core.windows.net/"},
				},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, server.URL, planeql.WithRootCAs(server.Trust()), planeql.WithYes()), clients
}

// TestMicrosoftClientReadsWhatIsWritten writes a host pool with statements and reads it
// with Microsoft's client after each.
func TestMicrosoftClientReadsWhatIsWritten(t *testing.T) {
	s, clients := beside(t)
	pools := clients.NewHostPoolsClient()
	read := func() []any {
		t.Helper()
		got, err := pools.Get(t.Context(), "rg-avd-prod-weu", "hp-new", nil)
		if err != nil {
			t.Fatal(err)
		}
		p := got.Properties
		return []any{*got.Location, *p.HostPoolType, *p.LoadBalancerType, p.MaxSessionLimit, p.Description, got.Tags}
	}
	const key = `subscriptionId = '` + armsim.ProductionSubscription + `' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-new'`
	pooled, breadth := armdesktopvirtualization.HostPoolTypePooled, armdesktopvirtualization.LoadBalancerTypeBreadthFirst
	for _, c := range []struct {
		text string
		want []any
	}{
		{`INSERT INTO azure.desktop_virtualization.host_pools
			(subscriptionId, resourceGroupName, hostPoolName, location, tags, hostPoolType, loadBalancerType, preferredAppGroupType, maxSessionLimit)
			VALUES ('` + armsim.ProductionSubscription + `', 'rg-avd-prod-weu', 'hp-new', 'westeurope', '{"env": "test"}', 'Pooled', 'BreadthFirst', 'Desktop', 7)`,
			[]any{"westeurope", pooled, breadth, to.Ptr[int32](7), (*string)(nil), map[string]*string{"env": to.Ptr("test")}}},
		{`UPDATE azure.desktop_virtualization.host_pools SET description = 'one', maxSessionLimit = 9 WHERE ` + key,
			[]any{"westeurope", pooled, breadth, to.Ptr[int32](9), to.Ptr("one"), map[string]*string{"env": to.Ptr("test")}}},
		{`UPDATE azure.desktop_virtualization.host_pools SET tags = '{"a": "b"}' WHERE ` + key,
			[]any{"westeurope", pooled, breadth, to.Ptr[int32](9), to.Ptr("one"), map[string]*string{"a": to.Ptr("b")}}},
	} {
		must(t, s, c.text)
		if diff := cmp.Diff(c.want, read()); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
	must(t, s, `DELETE FROM azure.desktop_virtualization.host_pools WHERE `+key)
	if _, err := pools.Get(t.Context(), "rg-avd-prod-weu", "hp-new", nil); err == nil {
		t.Error("the pool is still there")
	}
}

// TestWhatMicrosoftClientWritesIsRead is the other way round.
func TestWhatMicrosoftClientWritesIsRead(t *testing.T) {
	s, clients := beside(t)
	workspaces := clients.NewWorkspacesClient()
	read := func() [][]any {
		t.Helper()
		return must(t, s, `SELECT name, location, description, tags ->> 'env' FROM azure.desktop_virtualization.workspaces
			WHERE subscriptionId = '`+armsim.ProductionSubscription+`' AND resourceGroupName = 'rg-avd-prod-weu' AND name = 'ws-new'`)
	}
	_, err := workspaces.CreateOrUpdate(t.Context(), "rg-avd-prod-weu", "ws-new", armdesktopvirtualization.Workspace{
		Location: to.Ptr("westeurope"), Tags: map[string]*string{"env": to.Ptr("test")},
		Properties: &armdesktopvirtualization.WorkspaceProperties{Description: to.Ptr("one")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"ws-new", "westeurope", "one", "test"}}, read()); diff != "" {
		t.Error(diff)
	}
	_, err = workspaces.Update(t.Context(), "rg-avd-prod-weu", "ws-new", &armdesktopvirtualization.WorkspacesClientUpdateOptions{
		Workspace: &armdesktopvirtualization.WorkspacePatch{Properties: &armdesktopvirtualization.WorkspacePatchProperties{Description: to.Ptr("two")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"ws-new", "westeurope", "two", "test"}}, read()); diff != "" {
		t.Error(diff)
	}
	if _, err := workspaces.Delete(t.Context(), "rg-avd-prod-weu", "ws-new", nil); err != nil {
		t.Fatal(err)
	}
	if rows := read(); len(rows) != 0 {
		t.Errorf("still read: %v", rows)
	}
}
