package auth_test

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"

	"github.com/planeql/planeql/internal/auth"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/transport"
)

// awsDocuments gives some services of the published documents of AWS.
func awsDocuments(t *testing.T, services ...string) *provider.Provider {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	file, err := os.Open(filepath.Join(root, "providers", "aws.tar.zst"))
	if err != nil {
		t.Skipf("no shared test data at %s", root)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(1<<27), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	files := fstest.MapFS{}
	for archived := tar.NewReader(plain); len(files) <= len(services); {
		header, err := archived.Next()
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(header.Name, "./")
		base := strings.TrimSuffix(filepath.Base(name), ".yaml")
		if base != "provider" && !slices.Contains(services, base) {
			continue
		}
		data, err := io.ReadAll(archived)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	p, err := provider.Open(files, "aws")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAWS_documents signs calls of the published documents so that a service which
// recomputes the signature takes them: each protocol of AWS, reading and writing,
// by the keys that the documents suggest.
func TestAWS_documents(t *testing.T) {
	p := awsDocuments(t, "iam", "sqs", "s3", "lambda")
	v := auth.NewVerifier(t)
	getenv := func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cr3t/key+1"}[name]
	}
	target, err := auth.NewTarget(p, auth.Settings{}, v.URL(), auth.Deps{Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	tr := transport.New(transport.Options{Targets: map[string]transport.Target{"aws": target}, UserAgent: "planeql/test"})
	defer tr.Close()
	client := rest.New(tr, rest.Options{})
	for _, c := range []struct{ method, arguments, body, scope string }{
		{"iam.users.list_users", "PathPrefix=/a b/", "", "us-east-1/iam"},
		{"iam.users.create_user", "UserName=ann;Path=/x+y/", "", "us-east-1/iam"},
		{"sqs.queues.list_queues", "QueueNamePrefix=q", "", "us-east-1/sqs"},
		{"sqs.queues.create_queue", "region=eu-west-1", `{"QueueName":"ä"}`, "eu-west-1/sqs"},
		{"s3.buckets.list_buckets", "region=eu-central-1;prefix=a/b", "", "eu-central-1/s3"},
		{"s3.bucket_acls.put_bucket_acl", "bucket=b;region=us-west-2", `{"AccessControlPolicy":{"Owner":{"ID":"o"}}}`, "us-west-2/s3"},
		{"lambda.functions.list_functions", "region=ap-south-1;FunctionVersion=ALL", "", "ap-south-1/lambda"},
	} {
		parts := strings.Split(c.method, ".")
		s, err := p.Service(parts[0])
		if err != nil {
			t.Fatal(err)
		}
		r, _ := s.Resource(parts[1])
		if r == nil {
			t.Errorf("%s: there is no such resource", c.method)
			continue
		}
		m, ok := r.Method(parts[2])
		if !ok {
			t.Errorf("%s: there is no such method", c.method)
			continue
		}
		call := provider.Call{Method: m}
		if c.body != "" {
			call.Body = []byte(c.body)
		}
		for pair := range strings.SplitSeq(c.arguments, ";") {
			name, value, _ := strings.Cut(pair, "=")
			call.Arguments = append(call.Arguments, provider.Argument{Name: name, Value: value})
		}
		_, _ = client.Do(t.Context(), call) // an empty answer may be none for the method
		scopes, refused := v.Signed()
		if len(refused) > 0 || len(scopes) == 0 || scopes[len(scopes)-1] != c.scope {
			t.Fatalf("%s: signed for %q, %s", c.method, scopes, strings.Join(refused, "\n"))
		}
	}
	if scopes, _ := v.Signed(); len(scopes) != 7 {
		t.Errorf("%d calls: %q", len(scopes), scopes)
	}
}
