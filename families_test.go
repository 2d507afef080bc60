package planeql_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/planeql/planeql"
)

// counter is a service that answers each request by its method, path and body,
// and notes them.
type counter struct {
	answers map[string]string // "" for a request that is not expected
	mutex   sync.Mutex
	asked   []string
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
	c.mutex.Lock()
	c.asked = append(c.asked, line)
	c.mutex.Unlock()
	answer, ok := c.answers[line]
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(answer, "<") {
		w.Header().Set("Content-Type", "text/xml")
	}
	if !ok {
		w.WriteHeader(http.StatusTeapot)
	}
	fmt.Fprint(w, answer)
}

// Statements over AWS: filters that are members of a body or of a form bind as
// any parameter does, in the service's spelling and in the snake case of the
// pages; rows are typed by their schema.
func TestFamilies_aws(t *testing.T) {
	service := &counter{answers: map[string]string{
		`POST / {"QueueNamePrefix":"q"}`:                                `{"QueueUrls":["https://q/1"],"NextToken":"n"}`,
		`POST / {"NextToken":"n","QueueNamePrefix":"q"}`:                `{"QueueUrls":["https://q/2"]}`,
		`POST / Action=ListUsers&PathPrefix=%2Fa%2F&Version=2010-05-08`: `<ListUsersResponse><ListUsersResult><Users><member><UserName>ann</UserName><CreateDate>2026-01-02T03:04:05Z</CreateDate></member></Users><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>`,
		`GET /b?list-type=2`:                                            `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key><Size>7</Size></Contents></ListBucketResult>`,
		`POST / {"QueueUrl":"https://q/1"}`:                             `{"Tags":{"env":"prod"}}`,
		`POST / Action=GetUser&UserName=ann&Version=2010-05-08`:         `<GetUserResponse><GetUserResult><User><UserName>ann</UserName></User></GetUserResult></GetUserResponse>`,
		`GET /b?list-type=2&max-keys=5`:                                 `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key><Size>7</Size></Contents></ListBucketResult>`,
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	s := open(t, server.URL, planeql.WithDocuments(published(t, "aws.tar.zst", "aws"), "aws"),
		planeql.WithEndpoint("aws", server.URL), planeql.WithAuth("aws", "none", nil))
	for text, want := range map[string]string{
		"SELECT queue_url FROM aws.sqs.queues WHERE QueueNamePrefix = 'q' ORDER BY 1":                                 "[[https://q/1] [https://q/2]]",
		"SELECT queue_url FROM aws.sqs.queues WHERE queue_name_prefix = 'q' ORDER BY 1 LIMIT 5":                       "[[https://q/1] [https://q/2]]",
		"SELECT UserName, year(CreateDate::TIMESTAMP) FROM aws.iam.users WHERE path_prefix = '/a/'":                   "[[ann 2026]]",
		"SELECT user_name FROM aws.iam.users WHERE UserName = 'ann'":                                                  "[[ann]]",
		"EXEC aws.sqs.queue_tags.list_queue_tags @@json = '{\"QueueUrl\": \"https://q/1\"}' RETURNING tags ->> 'env'": "[[prod]]",
		"EXEC aws.sqs.queue_tags.list_queue_tags @queue_url = 'https://q/1' RETURNING tags ->> 'env'":                 "[[prod]]",
		"SELECT key FROM aws.s3.objects_v2s WHERE bucket = 'b' AND max_keys = 5":                                      "[[k]]",
		"SELECT key, size + 1 FROM aws.s3.objects_v2s WHERE bucket = 'b'":                                             "[[k 8]]",
	} {
		rows, err := query(t, s, text)
		if err != nil || fmt.Sprint(rows) != want {
			t.Errorf("%s\n%v %v", text, rows, shown(err))
		}
	}
	for _, line := range service.asked {
		if _, ok := service.answers[line]; !ok {
			t.Errorf("sent %s", line)
		}
	}
}

// What is changed and deleted is named in the body: the WHERE binds it as it
// does a part of a path, from values and from rows.
func TestFamilies_awsWrites(t *testing.T) {
	service := &counter{answers: map[string]string{
		`POST / {"QueueUrl":"https://q/1"}`:                        ``,
		`POST / {"QueueUrl":"https://q/2"}`:                        ``,
		`POST / {"QueueNamePrefix":"q"}`:                           `{"QueueUrls":["https://q/1","https://q/2"]}`,
		`POST / {"BillingMode":"PAY_PER_REQUEST","TableName":"t"}`: `{"TableDescription":{"TableName":"t"}}`,
		`POST / {"TableName":"t"}`:                                 `{"TableDescription":{"TableName":"t"}}`,
		`POST /?Action=DeleteResource&Version=2021-09-30 {"ClientToken":"x","Identifier":"a","TypeName":"AWS::AccessAnalyzer::Analyzer"}`:                                          `{"ProgressEvent":{"OperationStatus":"SUCCESS"}}`,
		`POST /?Action=UpdateResource&Version=2021-09-30 {"Identifier":"a","PatchDocument":"[{\"op\":\"remove\",\"path\":\"/Tags\"}]","TypeName":"AWS::AccessAnalyzer::Analyzer"}`: `{"ProgressEvent":{"OperationStatus":"SUCCESS"}}`,
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	documents := published(t, "aws.tar.zst", "aws")
	maps.Copy(documents.(fstest.MapFS), published(t, "awscc.tar.zst", "awscc").(fstest.MapFS))
	s := open(t, server.URL, planeql.WithDocuments(documents, "aws", "awscc"), planeql.WithYes(),
		planeql.WithEndpoint("aws", server.URL), planeql.WithAuth("aws", "none", nil),
		planeql.WithEndpoint("awscc", server.URL), planeql.WithAuth("awscc", "none", nil))
	patch := `'[{"op":"remove","path":"/Tags"}]'`
	for _, c := range []struct {
		text  string
		calls string // or a part of the error
	}{
		{"DELETE FROM aws.sqs.queues WHERE QueueUrl = 'https://q/1'", "[{\"QueueUrl\":\"https://q/1\"}]"},
		{"DELETE FROM aws.sqs.queues WHERE queue_url IN ('https://q/1', 'https://q/2') AND region = 'eu-west-1'", "[{\"QueueUrl\":\"https://q/1\"} {\"QueueUrl\":\"https://q/2\"}]"},
		{"DELETE FROM aws.sqs.queues WHERE QueueNamePrefix = 'q' AND queue_url LIKE '%2'", "[{\"QueueNamePrefix\":\"q\"} {\"QueueUrl\":\"https://q/2\"}]"},
		{"DELETE FROM aws.sqs.queues WHERE region = 'eu-west-1' AND QueueNamePrefix = 'q' AND queue_url = 'https://q/1'", "[{\"QueueNamePrefix\":\"q\"} {\"QueueUrl\":\"https://q/1\"}]"},
		{"UPDATE aws.dynamodb.tables SET BillingMode = 'PAY_PER_REQUEST' WHERE TableName = 't'", `[{"BillingMode":"PAY_PER_REQUEST","TableName":"t"}]`},
		{"UPDATE aws.dynamodb.tables SET TableName = 't', BillingMode = 'PAY_PER_REQUEST' WHERE region = 'eu-west-1'", `[{"BillingMode":"PAY_PER_REQUEST","TableName":"t"}]`},
		{"DELETE FROM aws.dynamodb.tables WHERE TableName = 't'", `[{"TableName":"t"}]`},
		{"DELETE FROM awscc.accessanalyzer.analyzers WHERE Identifier = 'a' AND ClientToken = 'x' AND region = 'eu-west-1'", `[{"ClientToken":"x","Identifier":"a","TypeName":"AWS::AccessAnalyzer::Analyzer"}]`},
		{"UPDATE awscc.accessanalyzer.analyzers SET PatchDocument = " + patch + " WHERE Identifier = 'a'", `[{"Identifier":"a","PatchDocument":"[{\"op\":\"remove\",\"path\":\"/Tags\"}]","TypeName":"AWS::AccessAnalyzer::Analyzer"}]`},

		{"UPDATE awscc.accessanalyzer.analyzers SET PatchDocument = " + patch + " WHERE region = 'eu-west-1'", "SET PatchDocument = '…' WHERE Identifier = '…'"},
		{"UPDATE awscc.accessanalyzer.analyzers SET RoleArn = 'r' WHERE Identifier = 'a'", "lacks PatchDocument"},
		{"DELETE FROM awscc.accessanalyzer.analyzers WHERE region = 'eu-west-1'", "delete_resource lacks Identifier"},
	} {
		service.asked = nil
		_, err := query(t, s, c.text)
		if err != nil && !strings.HasPrefix(c.calls, "[") && strings.Contains(printed(err), c.calls) {
			continue
		}
		var bodies []string
		for _, line := range service.asked {
			bodies = append(bodies, line[strings.Index(line, "{"):])
		}
		slices.Sort(bodies)
		if err != nil || fmt.Sprint(bodies) != c.calls {
			t.Errorf("%s\n%v\n%s", c.text, bodies, shown(err))
		}
	}
	if text := fmt.Sprint(must(t, s, "SHOW UPDATE awscc.accessanalyzer.analyzers")); !strings.Contains(text, "WHERE Identifier = '{{ Identifier }}' -- required") {
		t.Error(text)
	}
}

// The resources of Cloud Control are views over one method.
func TestFamilies_cloudControl(t *testing.T) {
	service := &counter{answers: map[string]string{
		`POST /?Action=GetResource&Version=2021-09-30 {"Identifier":"a","TypeName":"AWS::AccessAnalyzer::Analyzer"}`: `{"TypeName":"AWS::AccessAnalyzer::Analyzer","ResourceDescription":{"Identifier":"a","Properties":"{\"AnalyzerName\":\"main\",\"Type\":\"ACCOUNT\"}"}}`,
		`POST /?Action=ListResources&Version=2021-09-30 {"TypeName":"AWS::AccessAnalyzer::Analyzer"}`:                `{"ResourceDescriptions":[{"Identifier":"a","Properties":"{\"Arn\":\"arn:a\"}"}]}`,
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	s := open(t, server.URL, planeql.WithDocuments(published(t, "awscc.tar.zst", "awscc"), "awscc"),
		planeql.WithEndpoint("awscc", server.URL), planeql.WithAuth("awscc", "none", nil))
	for text, want := range map[string]string{
		"SELECT region, analyzer_name, type FROM awscc.accessanalyzer.analyzers WHERE region = 'eu-west-1' AND Identifier = 'a'": "[[eu-west-1 main ACCOUNT]]",
		"SELECT arn FROM awscc.accessanalyzer.analyzers_list_only WHERE region = 'eu-west-1'":                                    "[[arn:a]]",
	} {
		rows, err := query(t, s, text)
		if err != nil || fmt.Sprint(rows) != want {
			t.Errorf("%s\n%v\n%s", text, rows, shown(err))
		}
	}
}
