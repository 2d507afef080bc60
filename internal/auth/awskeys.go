package auth

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/planeql/planeql/internal/fault"
)

// keyring4 finds keys of AWS.
type keyring4 struct {
	holder
	settings Settings
}

// The session of an assumed role, where the settings do not name it.
const sessionName = "planeql"

// find goes through the ways to keys: those that are named, then what AWS's own
// programs use. A role is taken on with them.
func (k keyring4) find(ctx context.Context) (aws.Credentials, []Attempt, error) {
	found, tried, err := k.base(ctx)
	if err != nil || !k.settings.names("role_arn", "role_arn_env") {
		return found, tried, err
	}
	start := time.Now()
	role, arn, err := k.assume(ctx, found)
	attempt := Attempt{Name: "the role " + arn, Outcome: "keys", Took: time.Since(start)}
	if err != nil {
		attempt.Outcome = explainAWS(err)
	}
	return role, append(tried, attempt), err
}

// base finds the keys of whoever runs the program.
func (k keyring4) base(ctx context.Context) (aws.Credentials, []Attempt, error) {
	var tried []Attempt
	note := func(name string, start time.Time, err error) {
		attempt := Attempt{Name: name, Outcome: "keys", Took: time.Since(start)}
		if err != nil {
			attempt.Outcome = explainAWS(err)
		}
		tried = append(tried, attempt)
	}
	if k.settings.names("key_id", "key_id_env") && k.settings.Options["profile"] == "" {
		start := time.Now()
		found, from, err := k.named()
		note(from, start, err)
		if _, unset := errors.AsType[errUnset](err); err == nil || !unset || !k.settings.suggested {
			return found, tried, err
		}
	}
	start := time.Now()
	found, err := k.shared(ctx)
	name := "AWS's default chain"
	if profile := k.settings.Options["profile"]; profile != "" {
		name = "the profile " + profile
	}
	if found.Source != "" {
		name += " (" + found.Source + ")"
	}
	note(name, start, err)
	return found, tried, err
}

// named reads the keys that the options place. The token of a session belongs to
// the keys of its variables, and is taken only where it stands beside them.
func (k keyring4) named() (aws.Credentials, string, error) {
	o := k.settings.Options
	id, err := k.either(o, "key_id")
	if err != nil {
		return aws.Credentials{}, "the variable " + o["key_id_env"], err
	}
	secret, from, err := k.secret(o)
	if err != nil {
		return aws.Credentials{}, from, err
	}
	found := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, Source: "planeql"}
	switch variable := o["session_token_env"]; {
	case variable != "":
		if found.SessionToken, _, err = k.variable(variable); err != nil {
			return aws.Credentials{}, from, err
		}
	case o["env"] == "AWS_SECRET_ACCESS_KEY":
		found.SessionToken = k.deps.env("AWS_SESSION_TOKEN")
	}
	return found, from, nil
}

// shared finds keys as AWS's own programs do: a profile with keys, a role, a
// process or a person's sign-in (SSO), a web identity, the container, the machine.
func (k keyring4) shared(ctx context.Context) (aws.Credentials, error) {
	loaders := []func(*config.LoadOptions) error{config.WithDefaultRegion("us-east-1")}
	profile := k.settings.Options["profile"]
	if profile == "" {
		profile = k.deps.env("AWS_PROFILE")
	}
	if profile != "" {
		loaders = append(loaders, config.WithSharedConfigProfile(profile))
	}
	if file := k.deps.env("AWS_CONFIG_FILE"); file != "" {
		loaders = append(loaders, config.WithSharedConfigFiles([]string{file}))
	}
	if file := k.deps.env("AWS_SHARED_CREDENTIALS_FILE"); file != "" {
		loaders = append(loaders, config.WithSharedCredentialsFiles([]string{file}))
	}
	if c := k.deps.client(); c != nil {
		loaders = append(loaders, config.WithHTTPClient(c))
	}
	c, err := config.LoadDefaultConfig(ctx, loaders...)
	if err != nil {
		return aws.Credentials{}, err
	}
	return c.Credentials.Retrieve(ctx)
}

// tokenService makes the client of AWS's token service.
func (k keyring4) tokenService(found aws.Credentials) *sts.Client {
	o := k.settings.Options
	options := sts.Options{
		Region:      "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return found, nil }),
	}
	for _, region := range []string{o["sts_region"], k.deps.env("AWS_REGION"), k.deps.env("AWS_DEFAULT_REGION")} {
		if region != "" {
			options.Region = region
			break
		}
	}
	if o["sts_endpoint"] != "" {
		options.BaseEndpoint = aws.String(o["sts_endpoint"])
	}
	if c := k.deps.client(); c != nil {
		options.HTTPClient = c
	}
	return sts.New(options)
}

// assume takes on the role.
func (k keyring4) assume(ctx context.Context, found aws.Credentials) (aws.Credentials, string, error) {
	o := k.settings.Options
	arn, err := k.either(o, "role_arn")
	if err != nil {
		return aws.Credentials{}, arn, err
	}
	external, err := k.either(o, "external_id")
	if err != nil {
		return aws.Credentials{}, arn, err
	}
	role := stscreds.NewAssumeRoleProvider(k.tokenService(found), arn, func(r *stscreds.AssumeRoleOptions) {
		r.RoleSessionName = sessionName
		if o["session_name"] != "" {
			r.RoleSessionName = o["session_name"]
		}
		if external != "" {
			r.ExternalID = aws.String(external)
		}
		if d, err := seconds(o["duration"]); err == nil && d > 0 {
			r.Duration = d
		}
	})
	keys, err := role.Retrieve(ctx)
	return keys, arn, err
}

// identify asks whose keys these are. That AWS refuses them is an error; that it
// cannot be asked is none, as calls may go another way.
func (k keyring4) identify(ctx context.Context, found aws.Credentials, report *Report) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer, err := k.tokenService(found).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused != nil {
		return fault.New(fault.Unauthenticated, "AWS does not accept the keys %s of %s", found.AccessKeyID, report.Credential).
			WithDetail("%s", explainAWS(err)).WithHint("make new keys, or run aws sso login where they are a person's")
	}
	if err != nil {
		report.Warnings = append(report.Warnings, "AWS could not be asked whose keys these are: "+explainAWS(err))
		return nil
	}
	report.Tenant, report.Principal = aws.ToString(answer.Account), aws.ToString(answer.Arn)
	return nil
}

// explainAWS gives the reason of a failure in a line: of the service's answer its
// code and message.
func explainAWS(err error) string {
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused != nil {
		return short(refused.ErrorCode() + ": " + refused.ErrorMessage())
	}
	return short(err.Error())
}

// seconds reads a duration in seconds, or with a unit.
func seconds(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(n) * time.Second, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, fault.New(fault.InvalidFlag, "%q is no duration", text).WithHint("such as duration=3600, in seconds, or duration=1h")
}
