package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// amazon signs calls with AWS Signature Version 4.
type amazon struct {
	keys  keyring4
	creds *aws.CredentialsCache // renews keys that end

	mu     sync.Mutex
	tried  []Attempt
	ends   time.Time // of the keys themselves; the cache gives them up earlier
	signer *v4.Signer
}

// newAWS makes the signer; no file is read and nobody is asked yet.
func newAWS(providerName string, s Settings, deps Deps) (Signer, error) {
	o := s.Options
	if s.names("key_id", "key_id_env") != s.names(places...) {
		return nil, fault.New(fault.InvalidFlag, "a key of AWS has two parts").
			WithHint("--auth %s=aws,key_id_env=AWS_ACCESS_KEY_ID,env=AWS_SECRET_ACCESS_KEY", providerName)
	}
	if s.declared == "aws_assume_role" && !s.names("role_arn", "role_arn_env") {
		return nil, fault.New(fault.InvalidFlag, "the role that should be taken on is not named").
			WithHint("--auth %s=aws,role_arn=arn:aws:iam::123456789012:role/reader", providerName)
	}
	if text := o["duration"]; text != "" {
		if _, err := seconds(text); err != nil {
			return nil, err
		}
	}
	a := &amazon{keys: keyring4{holder{providerName, deps}, s}, signer: v4.NewSigner()}
	a.creds = aws.NewCredentialsCache(aws.CredentialsProviderFunc(a.retrieve), func(c *aws.CredentialsCacheOptions) {
		c.ExpiryWindow = renewBefore
	})
	return a, nil
}

// retrieve gets keys, and notes what was tried.
func (a *amazon) retrieve(ctx context.Context) (aws.Credentials, error) {
	found, tried, err := a.keys.find(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried, a.ends = tried, found.Expires
	return found, err
}

// Authorize signs the request. The keys of a role, of a machine and of a person
// who has signed in end and are renewed before.
func (a *amazon) Authorize(ctx context.Context, req *http.Request, s transport.Signing) error {
	if s.Challenge != "" {
		a.creds.Invalidate()
	}
	found, err := a.creds.Retrieve(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return a.noCredential(err)
	}
	service, region := scopeOf(req.URL.Hostname(), s)
	if service == "" {
		return fault.New(fault.NoCredential, "it is not known by which name %s is signed for", req.URL.Host).
			WithHint("the document of the service has no info.x-serviceName")
	}
	u := *req.URL // the signer sorts its query
	req.URL = &u
	req.Header.Del("Authorization")
	sum := sha256.Sum256(s.Body)
	hash := hex.EncodeToString(sum[:])
	storage := strings.HasPrefix(service, "s3")
	if storage {
		req.Header.Set("X-Amz-Content-Sha256", hash)
	}
	err = a.signer.SignHTTP(ctx, found, req, hash, service, region, a.keys.deps.now(), func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = storage // S3 alone signs the path as it is sent
	})
	if err != nil {
		return fault.New(fault.NoCredential, "the call cannot be signed").WithDetail("%s", short(err.Error())).
			WithHint("planeql auth check %s", a.keys.provider).Because(err)
	}
	return nil
}

// scopeOf gives service and region of a signature. A host of AWS tells the
// region; elsewhere, at a simulator, the call does. The services that are there
// once for all regions are signed for the first of them.
func scopeOf(host string, s transport.Signing) (service, region string) {
	const global = "us-east-1"
	service, region = strings.ToLower(s.Service), s.Region
	name, ok := strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com")
	if !ok {
		if region == "" {
			region = global
		}
		return service, region
	}
	labels := strings.Split(name, ".")
	if service == "" {
		service = labels[0]
	}
	region = global
	for _, label := range labels[1:] {
		if strings.Count(label, "-") >= 2 {
			region = label
		}
	}
	return service, region
}

// noCredential makes the fault that says what was tried and what to do.
func (a *amazon) noCredential(err error) *fault.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var lines []string
	for _, t := range a.tried {
		lines = append(lines, t.Name+": "+t.Outcome)
	}
	if len(lines) == 0 {
		lines = []string{short(err.Error())}
	}
	return fault.New(fault.NoCredential, "no credential for %s could be had", a.keys.provider).
		WithDetail("%s", strings.Join(lines, "\n")).
		WithHint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login and name the profile: "+
			"--auth %[1]s=aws,profile=NAME; planeql auth check %[1]s shows more", a.keys.provider)
}

// Check gets keys anew and asks AWS whose they are.
func (a *amazon) Check(ctx context.Context) (Report, error) {
	report := Report{Provider: a.keys.provider, Kind: AWS}
	a.creds.Invalidate()
	start := time.Now()
	found, err := a.creds.Retrieve(ctx)
	report.Took = time.Since(start)
	a.mu.Lock()
	report.Tried, report.Expires = a.tried, a.ends
	a.mu.Unlock()
	if ctx.Err() != nil {
		return report, ctx.Err()
	}
	if err != nil {
		return report, a.noCredential(err)
	}
	report.Credential = report.Tried[len(report.Tried)-1].Name
	report.Tenant, report.Principal = found.AccountID, found.AccessKeyID
	return report, a.keys.identify(ctx, found, &report)
}
