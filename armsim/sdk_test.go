package armsim

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/desktopvirtualization/armdesktopvirtualization/v2"
)

// testCredential is a credential whose token the simulator takes.
type testCredential struct{}

func (testCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "test", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// microsoft starts a TLS server and gives Microsoft's own clients for it.
func microsoft(t *testing.T, opts ...Option) (*Server, *sdk.ClientFactory) {
	t.Helper()
	server, options := forMicrosoft(t, opts...)
	clients, err := sdk.NewClientFactory(ProductionSubscription, testCredential{}, options)
	if err != nil {
		t.Fatal(err)
	}
	return server, clients
}

// forMicrosoft starts a TLS server and gives the options with which Microsoft's own
// clients call it.
func forMicrosoft(t *testing.T, opts ...Option) (*Server, *arm.ClientOptions) {
	t.Helper()
	server, err := StartTLS("127.0.0.1:0", filepath.Join(t.TempDir(), "cert.pem"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Trust(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, &arm.ClientOptions{
		DisableRPRegistration: true,
		ClientOptions: policy.ClientOptions{
			Cloud: cloud.Configuration{
				ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/",
				Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
					cloud.ResourceManager: {Endpoint: server.URL, Audience: "https://management.core.windows.net/"},
				},
			},
			Transport: &http.Client{Transport: transport},
			Retry:     policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 2 * time.Second},
		},
	}
}

const (
	sdkGroup = "rg-avd-prod-weu"
	sdkPool  = "hp-office"
	sdkHost  = "office-0.contoso.com"
)

// collect reads all pages.
func collect[P, T any](t *testing.T, pager *runtime.Pager[P], items func(P) []T) ([]T, int) {
	t.Helper()
	var list []T
	pages := 0
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		list = append(list, items(page)...)
	}
	return list, pages
}

func sdkSessions(t *testing.T, clients *sdk.ClientFactory, opts *sdk.UserSessionsClientListByHostPoolOptions) ([]*sdk.UserSession, int) {
	t.Helper()
	return collect(t, clients.NewUserSessionsClient().NewListByHostPoolPager(sdkGroup, sdkPool, opts),
		func(p sdk.UserSessionsClientListByHostPoolResponse) []*sdk.UserSession { return p.Value })
}

func TestMicrosoftClientReadsPages(t *testing.T) {
	_, clients := microsoft(t, WithPageSize(10))
	sessions, pages := sdkSessions(t, clients, nil)
	if len(sessions) != 56 || pages != 6 {
		t.Errorf("%d sessions in %d pages", len(sessions), pages)
	}
	for _, s := range sessions {
		if s.Properties.CreateTime == nil || s.Properties.SessionState == nil || s.SystemData != nil {
			t.Errorf("session %s: %+v, systemData %v", *s.ID, s.Properties, s.SystemData)
		}
	}
	active, _ := sdkSessions(t, clients, &sdk.UserSessionsClientListByHostPoolOptions{
		Filter: to.Ptr("userPrincipalName eq '" + *sessions[0].Properties.UserPrincipalName + "'"), PageSize: to.Ptr[int32](5),
	})
	if len(active) == 0 || len(active) == len(sessions) {
		t.Errorf("the filter leaves %d", len(active))
	}
	pools, _ := collect(t, clients.NewHostPoolsClient().NewListPager(nil),
		func(p sdk.HostPoolsClientListResponse) []*sdk.HostPool { return p.Value })
	hosts, _ := collect(t, clients.NewSessionHostsClient().NewListPager(sdkGroup, sdkPool, nil),
		func(p sdk.SessionHostsClientListResponse) []*sdk.SessionHost { return p.Value })
	if len(pools) != 3 || len(hosts) != 4 {
		t.Errorf("%d pools, %d hosts", len(pools), len(hosts))
	}
}

func TestMicrosoftClientCreatesChangesDeletes(t *testing.T) {
	_, clients := microsoft(t)
	pools := clients.NewHostPoolsClient()
	expires := time.Now().Add(2 * time.Hour).UTC()
	made, err := pools.CreateOrUpdate(t.Context(), sdkGroup, "hp-new", sdk.HostPool{
		Location: to.Ptr("westeurope"),
		Properties: &sdk.HostPoolProperties{
			HostPoolType: to.Ptr(sdk.HostPoolTypePooled), LoadBalancerType: to.Ptr(sdk.LoadBalancerTypeDepthFirst),
			PreferredAppGroupType: to.Ptr(sdk.PreferredAppGroupTypeDesktop), MaxSessionLimit: to.Ptr[int32](7),
			RegistrationInfo: &sdk.RegistrationInfo{
				ExpirationTime: &expires, RegistrationTokenOperation: to.Ptr(sdk.RegistrationTokenOperationUpdate),
			},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token := made.Properties.RegistrationInfo.Token
	kept, err := pools.RetrieveRegistrationToken(t.Context(), sdkGroup, "hp-new", nil)
	if err != nil || token == nil || *kept.Token != *token {
		t.Fatalf("token %v, %v, %v", token, kept.Token, err)
	}
	got, err := pools.Get(t.Context(), sdkGroup, "HP-NEW", nil)
	if err != nil || got.Properties.RegistrationInfo != nil || *got.Properties.MaxSessionLimit != 7 {
		t.Fatalf("get: %+v, %v", got.Properties, err)
	}
	patched, err := pools.Update(t.Context(), sdkGroup, "hp-new", &sdk.HostPoolsClientUpdateOptions{
		HostPool: &sdk.HostPoolPatch{Properties: &sdk.HostPoolPatchProperties{FriendlyName: to.Ptr("New")}},
	})
	if err != nil || *patched.Properties.FriendlyName != "New" || *patched.Properties.MaxSessionLimit != 7 {
		t.Fatalf("patch: %+v, %v", patched.Properties, err)
	}
	if _, err := pools.Delete(t.Context(), sdkGroup, "hp-new", nil); err != nil {
		t.Fatal(err)
	}
	_, err = pools.Get(t.Context(), sdkGroup, "hp-new", nil)
	wantResponseError(t, err, http.StatusNotFound, "ResourceNotFound")
}

func wantResponseError(t *testing.T, err error, status int, code string) {
	t.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) || re.StatusCode != status || re.ErrorCode != code {
		t.Errorf("error %v, want %d %s", err, status, code)
	}
}

func TestMicrosoftClientActsOnSessions(t *testing.T) {
	server, clients := microsoft(t)
	sessions := clients.NewUserSessionsClient()
	list, _ := sdkSessions(t, clients, &sdk.UserSessionsClientListByHostPoolOptions{Filter: to.Ptr("sessionState eq 'Active'")})
	id := list[0]
	where, _ := parsePath(*id.ID)
	host, number := where.names[1], where.names[2]
	send := func() {
		t.Helper()
		_, err := sessions.SendMessage(t.Context(), sdkGroup, sdkPool, host, number, &sdk.UserSessionsClientSendMessageOptions{
			SendMessage: &sdk.SendMessage{MessageTitle: to.Ptr("Hello"), MessageBody: to.Ptr("Please save")},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	send()
	if _, err := sessions.Disconnect(t.Context(), sdkGroup, sdkPool, host, number, nil); err != nil {
		t.Fatal(err)
	}
	send()
	messages := server.Simulator.Messages()
	if len(messages) != 1 || messages[0].Title != "Hello" || messages[0].Body != "Please save" || messages[0].Session != *id.ID {
		t.Errorf("messages %+v", messages)
	}
	got, err := sessions.Get(t.Context(), sdkGroup, sdkPool, host, number, nil)
	if err != nil || *got.Properties.SessionState != sdk.SessionStateDisconnected || got.SystemData == nil {
		t.Fatalf("%+v %v", got.Properties, err)
	}
	if _, err := sessions.Delete(t.Context(), sdkGroup, sdkPool, host, number, nil); err != nil {
		t.Fatal(err)
	}
	_, err = sessions.Delete(t.Context(), sdkGroup, sdkPool, host, number, nil)
	wantResponseError(t, err, http.StatusNotFound, "404")
}

func TestMicrosoftClientRetriesAfter429(t *testing.T) {
	var refused atomic.Int32
	_, clients := microsoft(t, WithHook(func(*http.Request) Outcome {
		if refused.Add(1) > 2 {
			return Outcome{}
		}
		return Outcome{
			Status: http.StatusTooManyRequests, Code: "SubscriptionRequestsThrottled",
			Header: http.Header{"Retry-After-Ms": {"1"}},
		}
	}))
	host, err := clients.NewSessionHostsClient().Get(t.Context(), sdkGroup, sdkPool, sdkHost, nil)
	if err != nil || *host.Properties.Status != sdk.StatusAvailable || refused.Load() != 3 {
		t.Errorf("%+v after %d requests: %v", host.Properties, refused.Load(), err)
	}
	drained, err := clients.NewSessionHostsClient().Update(t.Context(), sdkGroup, sdkPool, sdkHost, &sdk.SessionHostsClientUpdateOptions{
		SessionHost: &sdk.SessionHostPatch{Properties: &sdk.SessionHostPatchProperties{AllowNewSession: to.Ptr(false)}},
	})
	if err != nil || *drained.Properties.AllowNewSession {
		t.Errorf("drain: %+v %v", drained.Properties, err)
	}
}
