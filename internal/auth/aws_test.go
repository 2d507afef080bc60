package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// awsDocument is what the published documents of AWS suggest.
var awsDocument = map[string]string{"type": "aws_signing_v4", "credentialsenvvar": "AWS_SECRET_ACCESS_KEY", "keyIDenvvar": "AWS_ACCESS_KEY_ID"}

// noAWS keeps what is set up for AWS on this machine out of a test, and gives
// the environment of one that has nothing but pairs.
func noAWS(t *testing.T, pairs ...string) Deps {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	pairs = append([]string{
		"AWS_CONFIG_FILE", filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"),
	}, pairs...)
	return Deps{Getenv: environment(pairs...)}
}

func send(t *testing.T, v *verifier, settings Settings, deps Deps, r transport.Request) (*transport.Response, error) {
	t.Helper()
	target, err := NewTarget(&provider.Provider{Name: "aws", Auth: awsDocument}, settings, v.URL, deps)
	if err != nil {
		t.Fatal(err)
	}
	tr := transport.New(transport.Options{Targets: map[string]transport.Target{"aws": target}, UserAgent: "planeql/test"})
	defer tr.Close()
	r.Provider, r.URL, r.Authorize = "aws", v.URL+r.URL, true
	return tr.Do(t.Context(), r)
}

// TestAWS signs the requests of each protocol of AWS so that a service takes
// them.
func TestAWS(t *testing.T) {
	v := newVerifier(t)
	deps := noAWS(t, "AWS_ACCESS_KEY_ID", "AKID", "AWS_SECRET_ACCESS_KEY", "s3cr3t/key+1")
	for name, test := range map[string]struct {
		r     transport.Request
		scope string
	}{
		"query": {transport.Request{
			Method: "POST", URL: "/", Body: []byte("Action=ListUsers&Version=2010-05-08&PathPrefix=%2Fa"), Service: "iam",
			Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
		}, "us-east-1/iam"},
		"query in the URL": {transport.Request{Method: "GET", URL: "/?Version=2016-11-15&Action=DescribeVpcs&Filter.1.Value=a%20b%2Bc&Empty=&Flag", Service: "ec2", Region: "eu-west-1"}, "eu-west-1/ec2"},
		"json": {transport.Request{
			Method: "POST", URL: "/", Body: []byte(`{"QueueName":"ä"}`), Service: "sqs", Region: "ap-southeast-2",
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"AmazonSQS.CreateQueue"}},
		}, "ap-southeast-2/sqs"},
		"rest": {transport.Request{Method: "GET", URL: "/2015-03-31/functions/arn%3Aaws%3Alambda:x/a%20b?Marker=x%2Fy&FunctionVersion=ALL", Service: "lambda", Region: "us-west-2"}, "us-west-2/lambda"},
		"s3": {transport.Request{
			Method: "PUT", URL: "/bucket/a%20b/%C3%A4%2Bc.txt?tagging=", Body: []byte("<x/>"), Service: "s3", Region: "eu-central-1",
			Header: http.Header{"Content-Type": {"application/xml"}, "X-Amz-Acl": {"private  and   more"}},
		}, "eu-central-1/s3"},
		"delete": {transport.Request{Method: "DELETE", URL: "/v1/x?a=0&a=1", Service: "apigateway", Region: "us-east-2"}, "us-east-2/apigateway"},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := send(t, v, Settings{}, deps, test.r)
			if err != nil || response.Status != 200 {
				t.Fatalf("%v, %s", err, strings.Join(v.refused, "\n"))
			}
			if got := v.scopes[len(v.scopes)-1]; got != test.scope {
				t.Errorf("signed for %s, want %s", got, test.scope)
			}
			// What is asked for does not change by signing, only the order in the query.
			want, _ := url.Parse(test.r.URL)
			got, _ := url.Parse(v.uris[len(v.uris)-1])
			if got.EscapedPath() != want.EscapedPath() || got.Query().Encode() != want.Query().Encode() {
				t.Errorf("%s became %s", want, got)
			}
		})
	}
}

func TestAWS_sessionToken(t *testing.T) {
	v := newVerifier(t)
	v.keys["ASIA"], v.tokens["ASIA"] = "temporary", "t0k/en=="
	call := transport.Request{Method: "GET", URL: "/?Action=X", Service: "iam"}
	for name, test := range map[string]struct {
		settings Settings
		deps     Deps
	}{
		"environment": {Settings{}, noAWS(t, "AWS_ACCESS_KEY_ID", "ASIA", "AWS_SECRET_ACCESS_KEY", "temporary", "AWS_SESSION_TOKEN", "t0k/en==")},
		"named": {Settings{Kind: AWS, Options: map[string]string{"key_id": "ASIA", "env": "S", "session_token_env": "T"}},
			noAWS(t, "S", "temporary", "T", "t0k/en==", "AWS_SESSION_TOKEN", "another")},
	} {
		if response, err := send(t, v, test.settings, test.deps, call); err != nil || response.Status != 200 {
			t.Errorf("%s: %v, %q", name, err, v.refused)
		}
	}
	// A token of other keys is not put beside named ones.
	named := Settings{Kind: AWS, Options: map[string]string{"key_id": "AKID", "env": "S"}}
	if response, err := send(t, v, named, noAWS(t, "S", "s3cr3t/key+1", "AWS_SESSION_TOKEN", "another"), call); err != nil || response.Status != 200 {
		t.Errorf("%v, %q", err, v.refused)
	}
	if response, _ := send(t, v, named, noAWS(t, "S", "wrong"), call); response == nil || response.Status != 403 {
		t.Error("a wrong secret is accepted: the verifier verifies nothing")
	}
}

func TestAWS_profile(t *testing.T) {
	v := newVerifier(t)
	deps := noAWS(t)
	for name, text := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": "[work]\naws_access_key_id = AKID\naws_secret_access_key = s3cr3t/key+1\n",
		"AWS_CONFIG_FILE":             "[default]\nregion = eu-west-1\n[profile tool]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cr3t/key+1\"}'\n",
	} {
		if err := os.WriteFile(deps.Getenv(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, profile := range []string{"work", "tool"} {
		settings := Settings{Kind: AWS, Options: map[string]string{"profile": profile}}
		response, err := send(t, v, settings, deps, transport.Request{Method: "GET", URL: "/", Service: "s3", Region: "eu-west-1"})
		if err != nil || response.Status != 200 {
			t.Errorf("%s: %v, %q", profile, err, v.refused)
		}
	}
	_, err := send(t, v, Settings{Kind: AWS, Options: map[string]string{"profile": "nobody"}}, deps, transport.Request{Method: "GET", URL: "/"})
	wantFault(t, err, fault.NoCredential, "the profile nobody", "--auth aws=aws,profile=NAME")
}

// tokenService answers as AWS's token service does.
func tokenService(expires time.Time) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, body []byte) {
		form, _ := url.ParseQuery(string(body))
		w.Header().Set("Content-Type", "text/xml")
		switch form.Get("Action") {
		case "AssumeRole":
			fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>`+
				`<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>%s</Expiration></Credentials>`+
				`<AssumedRoleUser><Arn>%s/%s</Arn><AssumedRoleId>x</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`,
				expires.UTC().Format(time.RFC3339), form.Get("RoleArn"), form.Get("RoleSessionName")+form.Get("ExternalId")+form.Get("DurationSeconds"))
		case "GetCallerIdentity":
			fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::123:assumed-role/reader/me</Arn>`+
				`<UserId>x</UserId><Account>123</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		}
	}
}

func TestAWS_assumeRole(t *testing.T) {
	v := newVerifier(t)
	v.keys["ASIAROLE"], v.tokens["ASIAROLE"] = "role-secret", "role-token"
	var asked []url.Values
	answer := tokenService(time.Now().Add(time.Hour))
	v.answer = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") == "AssumeRole" {
			asked = append(asked, form)
		}
		answer(w, r, body)
	}
	all, err := ParseJSON(`{"aws": {"type": "aws_assume_role", "credentialsenvvar": "S", "keyIDenvvar": "I", "aws_role_arn_env_var": "ROLE",
		"aws_role_session_name": "me", "aws_role_external_id": "ext", "aws_sts_region": "eu-west-3", "aws_sts_endpoint": "` + v.URL + `", "aws_role_duration_seconds": 900}}`)
	if err != nil {
		t.Fatal(err)
	}
	deps := noAWS(t, "S", "s3cr3t/key+1", "I", "AKID", "ROLE", "arn:aws:iam::123:role/reader")
	response, err := send(t, v, all["aws"], deps, transport.Request{Method: "GET", URL: "/?Action=ListUsers", Service: "iam"})
	if err != nil || response.Status != 200 {
		t.Fatalf("%v, %q", err, v.refused)
	}
	if !slices.Equal(v.ids, []string{"AKID", "ASIAROLE"}) || !slices.Equal(v.scopes, []string{"eu-west-3/sts", "us-east-1/iam"}) {
		t.Errorf("signed by %q for %q", v.ids, v.scopes)
	}
	if form := asked[0]; form.Get("RoleArn") != "arn:aws:iam::123:role/reader" || form.Get("RoleSessionName") != "me" || form.Get("ExternalId") != "ext" || form.Get("DurationSeconds") != "900" {
		t.Errorf("asked %v", asked[0])
	}
}

// TestAWS_renewal takes on the role again before its keys end, and not before.
func TestAWS_renewal(t *testing.T) {
	for expires, want := range map[time.Duration]int{time.Hour: 1, time.Minute: 3} {
		v := newVerifier(t)
		v.keys["ASIAROLE"], v.tokens["ASIAROLE"] = "role-secret", "role-token"
		v.answer = tokenService(time.Now().Add(expires))
		s, err := New(&provider.Provider{Name: "aws", Auth: awsDocument}, Settings{Kind: AWS, Options: map[string]string{
			"key_id": "AKID", "env": "S", "role_arn": "arn", "sts_endpoint": v.URL,
		}}, noAWS(t, "S", "s3cr3t/key+1"))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := s.Authorize(t.Context(), requestTo(t, "https://iam.amazonaws.com/"), transport.Signing{Service: "iam"}); err != nil {
				t.Fatal(err)
			}
		}
		if len(v.ids) != want {
			t.Errorf("keys for %s: asked %d times, want %d", expires, len(v.ids), want)
		}
	}
}

func TestAWS_check(t *testing.T) {
	v := newVerifier(t)
	v.keys["ASIAROLE"], v.tokens["ASIAROLE"] = "role-secret", "role-token"
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	v.answer = tokenService(expires)
	o := map[string]string{"role_arn": "arn:role", "sts_endpoint": v.URL, "key_id_env": "I", "env": "S"}
	s := func(deps Deps) Signer {
		t.Helper()
		s, err := New(&provider.Provider{Name: "aws", Auth: awsDocument}, Settings{Kind: AWS, Options: o}, deps)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	report, err := s(noAWS(t, "I", "AKID", "S", "s3cr3t/key+1")).Check(t.Context())
	if err != nil || report.Credential != "the role arn:role" || report.Tenant != "123" || report.Principal != "arn:aws:sts::123:assumed-role/reader/me" ||
		!report.Expires.Equal(expires) || len(report.Tried) != 2 || report.Tried[0].Name != "the variable S" {
		t.Errorf("%+v, %v, %q", report, err, v.refused)
	}
	report, err = s(noAWS(t, "I", "AKID", "S", "wrong")).Check(t.Context())
	f := wantFault(t, err, fault.NoCredential, "the role arn:role: SignatureDoesNotMatch", "aws sso login")
	if len(report.Tried) != 2 || strings.Contains(f.Print(), "wrong") {
		t.Errorf("%+v", report)
	}
	delete(o, "role_arn")
	_, err = s(noAWS(t, "I", "AKID", "S", "wrong")).Check(t.Context())
	wantFault(t, err, fault.Unauthenticated, "AWS does not accept the keys AKID of the variable S")
	v.Close()
	report, err = s(noAWS(t, "I", "AKID", "S", "s3cr3t/key+1")).Check(t.Context())
	if err != nil || len(report.Warnings) != 1 || report.Principal != "AKID" {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestAWS_nothing says of each place what it lacks.
func TestAWS_nothing(t *testing.T) {
	s, err := New(&provider.Provider{Name: "aws", Auth: awsDocument}, Settings{}, noAWS(t))
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.Check(t.Context())
	wantFault(t, err, fault.NoCredential, "AWS_ACCESS_KEY_ID is not set", "AWS's default chain", "planeql auth check aws")
	if len(report.Tried) != 2 {
		t.Errorf("%+v", report)
	}
	for _, o := range []map[string]string{{"key_id": "x"}, {"env": "x"}, {"duration": "soon"}} {
		_, err := New(&provider.Provider{Name: "aws"}, Settings{Kind: AWS, Options: o}, Deps{})
		wantFault(t, err, fault.InvalidFlag)
	}
	_, err = New(&provider.Provider{Name: "aws"}, Settings{Kind: "aws_assume_role"}, Deps{})
	wantFault(t, err, fault.InvalidFlag, "role_arn=")
}

func TestScopeOf(t *testing.T) {
	for host, want := range map[string]string{
		"iam.amazonaws.com": "iam us-east-1", "sqs.eu-west-1.amazonaws.com": "sqs eu-west-1", "s3.us-gov-west-1.amazonaws.com": "s3 us-gov-west-1",
		"ec2.cn-north-1.amazonaws.com.cn": "ec2 cn-north-1", "api.ecr.us-east-2.amazonaws.com": "api us-east-2", "127.0.0.1": " us-east-1",
	} {
		service, region := scopeOf(host, transport.Signing{})
		if got := service + " " + region; got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	if service, region := scopeOf("email.eu-west-1.amazonaws.com", transport.Signing{Service: "ses", Region: "x"}); service != "ses" || region != "eu-west-1" {
		t.Errorf("%s %s", service, region)
	}
}
