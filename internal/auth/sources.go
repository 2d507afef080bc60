package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/planeql/planeql/internal/fault"
)

// source is one way to a token. The SDK's own chain is not used, since it does
// not tell what each of its members said.
type source struct {
	kind  string
	name  string // as the SDK and its documentation call it
	next  string // the command or setting that makes it work
	build func(context.Context) (azcore.TokenCredential, error)
	lazy  bool // a failure passes on: a developer's tool may be there for another purpose
	keep  bool // is not made anew for a fresh token: that would ask the person again

	credential azcore.TokenCredential
}

// maker makes sources from settings.
type maker struct {
	provider string
	settings Settings
	deps     Deps
	cloud    cloud
}

// sources gives the ways to a token in the order in which they are tried.
func (m *maker) sources() ([]*source, error) {
	all := map[string]*source{
		Environment: {name: "EnvironmentCredential", build: m.environment, next: "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"},
		Workload:    {name: "WorkloadIdentityCredential", build: m.workload, next: "set AZURE_FEDERATED_TOKEN_FILE, AZURE_TENANT_ID and AZURE_CLIENT_ID"},
		Managed:     {name: "ManagedIdentityCredential", build: m.managed, lazy: !m.managedDeclared(), next: "run where a managed identity is assigned"},
		CLI:         {name: "AzureCLICredential", build: m.azureCLI, lazy: true, next: "az login"},
		Developer:   {name: "AzureDeveloperCLICredential", build: m.developerCLI, lazy: true, next: "azd auth login"},
		DeviceCode:  {name: "DeviceCodeCredential", build: m.deviceCode, keep: true, next: "sign in with the code that is shown"},
		Browser:     {name: "InteractiveBrowserCredential", build: m.browser, keep: true, next: "sign in with the browser, or use devicecode"},
		Certificate: {name: "ClientCertificateCredential", build: m.certificate, next: "check tenant, client_id and path"},
		Secret:      {name: "ClientSecretCredential", build: m.secret, next: "check tenant, client_id and the secret"},
	}
	for kind, s := range all {
		s.kind = kind
	}
	order, err := m.order()
	if err != nil {
		return nil, err
	}
	var list []*source
	for _, kind := range order {
		list = append(list, all[kind])
	}
	return list, nil
}

// order gives the kinds to try. AZURE_TOKEN_CREDENTIALS narrows the chain, as
// it does for the SDKs.
func (m *maker) order() ([]string, error) {
	if kind := m.settings.kind(); kind != Default {
		return []string{kind}, nil
	}
	production, development := []string{Environment, Workload, Managed}, []string{CLI, Developer}
	choice := m.deps.env("AZURE_TOKEN_CREDENTIALS")
	switch strings.ToLower(choice) {
	case "":
		return append(production, development...), nil
	case "prod":
		return production, nil
	case "dev":
		return development, nil
	case "environmentcredential":
		return []string{Environment}, nil
	case "workloadidentitycredential":
		return []string{Workload}, nil
	case "managedidentitycredential":
		return []string{Managed}, nil
	case "azureclicredential":
		return []string{CLI}, nil
	case "azuredeveloperclicredential":
		return []string{Developer}, nil
	case "interactivebrowsercredential":
		return []string{Browser}, nil
	}
	return nil, fault.New(fault.NoCredential, "AZURE_TOKEN_CREDENTIALS names no credential that is known, %q", choice).
		WithHint("set it to dev, prod or AzureCLICredential, or remove it")
}

// option gives an option, or else a variable.
func (m *maker) option(key, variable string) string {
	if value := m.settings.Options[key]; value != "" {
		return value
	}
	return m.deps.env(variable)
}

// clientOptions gives how credentials reach the sign-in service. The cloud is
// always named, or the SDK would look into the environment for it.
func (m *maker) clientOptions() azcore.ClientOptions {
	o := azcore.ClientOptions{Cloud: azcloud.Configuration{ActiveDirectoryAuthorityHost: m.cloud.authority}}
	if c := m.deps.client(); c != nil {
		o.Transport = c
	}
	return o
}

// private tells whether the sign-in service is unknown to Microsoft's, which
// then must not be asked about it.
func (m *maker) private() bool { return m.cloud.name == "custom" }

// environment makes a credential of the variables of a service principal. It
// reads what the caller gives rather than the process, unlike the SDK's own.
func (m *maker) environment(ctx context.Context) (azcore.TokenCredential, error) {
	tenant, client := m.option("tenant", "AZURE_TENANT_ID"), m.option("client_id", "AZURE_CLIENT_ID")
	if tenant == "" || client == "" {
		return nil, errUnset("AZURE_TENANT_ID or AZURE_CLIENT_ID is not set")
	}
	path := m.deps.env("AZURE_CLIENT_CERTIFICATE_PATH")
	if path == "" || m.deps.env("AZURE_CLIENT_SECRET") != "" {
		if secret, _, err := (holder{m.provider, m.deps}).variable("AZURE_CLIENT_SECRET"); err == nil {
			return m.clientSecret(tenant, client, secret)
		}
	}
	if path != "" {
		return m.clientCertificate(tenant, client, path, m.deps.env("AZURE_CLIENT_CERTIFICATE_PASSWORD"))
	}
	if m.deps.env("AZURE_USERNAME") != "" {
		return nil, errUnset("a user name with a password is not supported, since it fails where a second factor is asked for")
	}
	return nil, errUnset("neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set")
}

// clientSecret makes the credential of a service principal with a secret.
func (m *maker) clientSecret(tenant, client, secret string) (azcore.TokenCredential, error) {
	return azidentity.NewClientSecretCredential(tenant, client, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: m.clientOptions(), DisableInstanceDiscovery: m.private(),
	})
}

// clientCertificate makes the credential of a service principal with a
// certificate, whose file holds the private key as well.
func (m *maker) clientCertificate(tenant, client, path, password string) (azcore.TokenCredential, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be read: %w", err)
	}
	certificates, key, err := azidentity.ParseCertificates(data, []byte(password))
	if err != nil {
		return nil, fmt.Errorf("%q is no PEM or PKCS#12 certificate with its key: %w", path, err)
	}
	return azidentity.NewClientCertificateCredential(tenant, client, certificates, key,
		&azidentity.ClientCertificateCredentialOptions{
			ClientOptions: m.clientOptions(), DisableInstanceDiscovery: m.private(),
			SendCertificateChain: strings.EqualFold(m.deps.env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"), "true"),
		})
}

// certificate makes a credential of a certificate that the settings name. Its
// password comes from a variable, which the settings may name.
func (m *maker) certificate(context.Context) (azcore.TokenCredential, error) {
	tenant, client := m.option("tenant", "AZURE_TENANT_ID"), m.option("client_id", "AZURE_CLIENT_ID")
	path := m.option("path", "AZURE_CLIENT_CERTIFICATE_PATH")
	if tenant == "" || client == "" || path == "" {
		return nil, errUnset("one of the options tenant, client_id and path is missing")
	}
	variable := m.settings.Options["password_env"]
	if variable == "" {
		variable = "AZURE_CLIENT_CERTIFICATE_PASSWORD"
	}
	return m.clientCertificate(tenant, client, path, m.deps.env(variable))
}

// secret makes a credential of a secret whose place the settings name.
func (m *maker) secret(context.Context) (azcore.TokenCredential, error) {
	tenant, client := m.option("tenant", "AZURE_TENANT_ID"), m.option("client_id", "AZURE_CLIENT_ID")
	o := m.settings.Options
	if o["env"] == "" && o["file"] == "" {
		o = map[string]string{"env": "AZURE_CLIENT_SECRET"}
	}
	secret, _, err := holder{m.provider, m.deps}.secret(o)
	if err != nil {
		return nil, err
	}
	if tenant == "" || client == "" {
		return nil, errUnset("one of the options tenant and client_id is missing")
	}
	return m.clientSecret(tenant, client, secret)
}

// workload makes a credential of a federated token. The file is read for every
// token, since clusters replace it every hour.
func (m *maker) workload(context.Context) (azcore.TokenCredential, error) {
	tenant, client := m.option("tenant", "AZURE_TENANT_ID"), m.option("client_id", "AZURE_CLIENT_ID")
	file := m.option("file", "AZURE_FEDERATED_TOKEN_FILE")
	if tenant == "" || client == "" || file == "" {
		return nil, errUnset("AZURE_FEDERATED_TOKEN_FILE, AZURE_TENANT_ID or AZURE_CLIENT_ID is not set")
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: m.clientOptions(), DisableInstanceDiscovery: m.private(),
		TenantID: tenant, ClientID: client, TokenFilePath: file,
	})
}

// managed makes the credential of the machine's identity. In the chain a client id
// of the environment chooses among several identities, as it does in the SDKs;
// by itself only the options count.
func (m *maker) managed(ctx context.Context) (azcore.TokenCredential, error) {
	if err := m.probe(ctx); err != nil {
		return nil, err
	}
	o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: m.clientOptions()}
	switch s := m.settings.Options; {
	case m.settings.kind() == Default:
		if client := m.option("client_id", "AZURE_CLIENT_ID"); client != "" {
			o.ID = azidentity.ClientID(client)
		}
	case s["client_id"] != "":
		o.ID = azidentity.ClientID(s["client_id"])
	case s["object_id"] != "":
		o.ID = azidentity.ObjectID(s["object_id"])
	case s["resource_id"] != "":
		o.ID = azidentity.ResourceID(s["resource_id"])
	}
	return azidentity.NewManagedIdentityCredential(o)
}

// managedDeclared tells whether a host says that it has a managed identity.
// Elsewhere the metadata address may be answered by anything, such as a proxy
// that refuses, and the chain goes on to the tools of a developer.
func (m *maker) managedDeclared() bool {
	for _, name := range []string{"IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT"} {
		if m.deps.env(name) != "" {
			return true
		}
	}
	return false
}

// probeTime bounds the question whether there is a metadata service at all:
// elsewhere than on a machine of Azure nobody answers at its address.
const probeTime = time.Second

// probe asks the metadata service for anything, without the header that would
// make it act. Other hosts of managed identities name themselves in variables.
func (m *maker) probe(ctx context.Context) error {
	if m.managedDeclared() {
		return nil
	}
	host := m.deps.env("AZURE_POD_IDENTITY_AUTHORITY_HOST")
	if host == "" {
		host = "http://169.254.169.254"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(host, "/")+"/metadata/identity/oauth2/token", nil)
	if err != nil {
		return errUnset("AZURE_POD_IDENTITY_AUTHORITY_HOST is no URL")
	}
	client := m.deps.Client
	if client == nil { // never by a proxy: the address is this machine's own
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	response, err := client.Do(request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return errUnset("no metadata service answered within " + probeTime.String())
		}
		return errUnset("no metadata service is here")
	}
	return response.Body.Close()
}

// azureCLI makes a credential that asks az. Every token starts that program, which
// takes about a second: the token is kept for its life.
func (m *maker) azureCLI(context.Context) (azcore.TokenCredential, error) {
	return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{
		TenantID: m.settings.Options["tenant"], Subscription: m.settings.Options["subscription"],
	})
}

// developerCLI makes a credential that asks azd.
func (m *maker) developerCLI(context.Context) (azcore.TokenCredential, error) {
	return azidentity.NewAzureDeveloperCLICredential(&azidentity.AzureDeveloperCLICredentialOptions{
		TenantID: m.settings.Options["tenant"],
	})
}

// deviceCode makes a credential that shows a code. Without somebody to read it,
// it would wait a quarter of an hour for nothing.
func (m *maker) deviceCode(context.Context) (azcore.TokenCredential, error) {
	if m.deps.Prompt == nil {
		return nil, errUnset("there is no terminal to show the code on")
	}
	return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: m.clientOptions(), DisableInstanceDiscovery: m.private(),
		TenantID: m.settings.Options["tenant"], ClientID: m.settings.Options["client_id"],
		UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			m.deps.Prompt(message.Message)
			return nil
		},
	})
}

// browser makes a credential that opens a browser and waits for its answer on a
// port of this machine.
func (m *maker) browser(context.Context) (azcore.TokenCredential, error) {
	return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: m.clientOptions(), DisableInstanceDiscovery: m.private(),
		TenantID: m.settings.Options["tenant"], ClientID: m.settings.Options["client_id"],
		LoginHint: m.settings.Options["login_hint"],
	})
}

// get gets a token from the source, making the credential first where needed.
func (s *source) get(ctx context.Context, fresh bool, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if s.credential == nil || fresh && o.Claims == "" && !s.keep {
		credential, err := s.build(ctx)
		if err != nil {
			return azcore.AccessToken{}, err
		}
		s.credential = credential
	}
	return s.credential.GetToken(ctx, o)
}
