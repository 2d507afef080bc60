package rest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/provider"
)

var xmlAnswer = http.Header{"Content-Type": {"text/xml"}}

// The protocols of AWS, by documents of services that speak them. What signs a
// request is tested elsewhere.
func TestAWS(t *testing.T) {
	p := documents(t, "aws", "aws", "iam", "autoscaling", "sqs", "s3")
	t.Run("query", func(t *testing.T) { awsQuery(t, p) })
	t.Run("json", func(t *testing.T) { awsJSON(t, p) })
	t.Run("rest xml", func(t *testing.T) { awsXML(t, p) })
}

// The query protocol: constants and arguments are a form, lists are numbered,
// rows are found by their schema, pages by a marker that no document states.
func awsQuery(t *testing.T, p *provider.Provider) {
	users := func(marker, truncated string, names ...string) string {
		var list strings.Builder
		for _, name := range names {
			list.WriteString("<member><Path>/</Path><UserName>" + name + "</UserName><Arn>arn:aws:iam::012345678901:user/" + name + "</Arn></member>")
		}
		return `<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users>` + list.String() +
			"</Users><IsTruncated>" + truncated + "</IsTruncated>" + marker + "</ListUsersResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListUsersResponse>"
	}
	m := methodOf(t, p, "iam.users.list_users")
	if m.HTTPMethod != http.MethodPost || !m.ReadOnly {
		t.Errorf("%s reads: %v", m.HTTPMethod, m.ReadOnly)
	}
	rows, err := play(t, provider.Call{Method: m, Arguments: arguments("PathPrefix=/a b/")}, []exchange{
		{request: "POST / Action=ListUsers&PathPrefix=%2Fa%20b%2F&Version=2010-05-08", answer: users("<Marker>m=1</Marker>", "true", "ann", "bob"), header: xmlAnswer},
		{request: "POST / Action=ListUsers&Marker=m%3D1&PathPrefix=%2Fa%20b%2F&Version=2010-05-08", answer: users("", "false", "cyd"), header: xmlAnswer},
	})
	if err != nil || len(rows) != 3 || !strings.Contains(rows[2], `"UserName":"cyd"`) || !strings.Contains(rows[0], `"PasswordLastUsed":null`) {
		t.Errorf("%v %q", err, rows)
	}
	if m := methodOf(t, p, "iam.users.create_user"); m.HTTPMethod != http.MethodPost || m.ReadOnly {
		t.Error("a user is created by a method that only reads")
	}
	attach := methodOf(t, p, "autoscaling.auto_scaling_groups.attach_instances")
	for value, want := range map[string]string{
		`["i-1","i-2"]`: "InstanceIds.member.1=i-1&InstanceIds.member.2=i-2",
		`i-1`:           "InstanceIds.member.1=i-1", `[]`: "InstanceIds=",
	} {
		r, err := direct().Request(provider.Call{Method: attach, Arguments: arguments("AutoScalingGroupName=g", "InstanceIds="+value, "region=eu-west-1")})
		if err != nil || r.URL != "https://autoscaling.eu-west-1.amazonaws.com/" || string(r.Body) != "Action=AttachInstances&AutoScalingGroupName=g&"+want+"&Version=2011-01-01" ||
			r.Header.Get("Content-Type") != "application/x-www-form-urlencoded; charset=utf-8" || r.Header.Get("Accept") != "" || r.Idempotent {
			t.Errorf("%s %s %v %v", r.URL, r.Body, r.Header, err)
		}
	}
}

// The JSON protocol: a header names the operation, filters and tokens are
// members of the body, which is there even where it is empty.
func awsJSON(t *testing.T, p *provider.Provider) {
	m := methodOf(t, p, "sqs.queues.list_queues")
	rows, err := play(t, provider.Call{Method: m, Arguments: arguments("QueueNamePrefix=q", "MaxResults=1")}, []exchange{
		{request: `POST / {"MaxResults":1,"QueueNamePrefix":"q"}`, answer: `{"QueueUrls":["https://q/1"],"NextToken":"t\"1"}`},
		{request: `POST / {"MaxResults":1,"NextToken":"t\"1","QueueNamePrefix":"q"}`, answer: `{"QueueUrls":["https://q/2"]}`},
	})
	if err != nil || !slices.Equal(rows, []string{`{"queue_url": "https://q/1"}`, `{"queue_url": "https://q/2"}`}) {
		t.Errorf("%v %q", err, rows)
	}
	r, err := direct().Request(provider.Call{Method: m})
	if err != nil || string(r.Body) != "{}" || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" || r.Header.Get("X-Amz-Target") != "AmazonSQS.ListQueues" || !r.Idempotent {
		t.Errorf("%s %v %v", r.Body, r.Header, err)
	}
}

// The REST protocol of S3: XML both ways.
func awsXML(t *testing.T, p *provider.Provider) {
	page := func(rest string, keys ...string) string {
		var list strings.Builder
		for _, key := range keys {
			list.WriteString("<Contents><Key>" + key + "</Key><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>")
		}
		return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>` + rest + list.String() + "</ListBucketResult>"
	}
	rows, err := play(t, provider.Call{Method: methodOf(t, p, "s3.objects_v2s.list_objects_v2"), Arguments: arguments("bucket=b")}, []exchange{
		{request: "GET /b?list-type=2", answer: page("<IsTruncated>true</IsTruncated><NextContinuationToken>t/1</NextContinuationToken>", "a", "b&amp;c"), header: xmlAnswer},
		{request: "GET /b?continuation-token=t%2F1&list-type=2", answer: page("<IsTruncated>false</IsTruncated>", "d"), header: xmlAnswer},
	})
	if err != nil || len(rows) != 3 || !strings.Contains(rows[1], `"Key":"b\u0026c"`) || !strings.Contains(rows[2], `"Size":7`) {
		t.Errorf("%v %q", err, rows)
	}
	r, err := direct().Request(provider.Call{
		Method: methodOf(t, p, "s3.bucket_acls.put_bucket_acl"), Arguments: arguments("bucket=b"),
		Body: []byte(`{"AccessControlPolicy":{"Owner":{"ID":"<o>"},"AccessControlList":{"Grant":[{"Permission":"READ"},{"Permission":"WRITE"}]}}}`),
	})
	const want = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>&lt;o&gt;</ID></Owner>` +
		`<AccessControlList><Grant><Permission>READ</Permission></Grant><Grant><Permission>WRITE</Permission></Grant></AccessControlList></AccessControlPolicy>`
	if err != nil || string(r.Body) != want || r.URL != "https://s3.us-east-1.amazonaws.com/b?acl=" || r.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("%s %s %v", r.URL, r.Body, err)
	}
}

// Cloud Control: what is given is a text of JSON inside the body, beside what
// the document fixes, and the parts of a path key that only make it unique stay
// at home.
func TestAWS_cloudControl(t *testing.T) {
	p := documents(t, "awscc", "awscc", "accessanalyzer", "cloud_control")
	create := methodOf(t, p, "accessanalyzer.analyzers.create_resource")
	for _, body := range []string{
		`{"AnalyzerName":"a","ClientToken":"c"}`, `{"TypeName":"AWS::AccessAnalyzer::Analyzer","ClientToken":"c","DesiredState":{"AnalyzerName":"a"}}`,
	} {
		r, err := direct().Request(provider.Call{Method: create, Arguments: arguments("region=eu-west-1"), Body: []byte(body)})
		if err != nil || r.URL != "https://cloudcontrolapi.eu-west-1.amazonaws.com/?Action=CreateResource&Version=2021-09-30" ||
			string(r.Body) != `{"ClientToken":"c","DesiredState":"{\"AnalyzerName\":\"a\"}","TypeName":"AWS::AccessAnalyzer::Analyzer"}` ||
			r.Header.Get("Content-Type") != "application/x-amz-json-1.0" || r.Method != http.MethodPost {
			t.Errorf("%s %s %v %v", r.URL, r.Body, r.Header, err)
		}
	}
	rows, err := play(t, provider.Call{
		Method: methodOf(t, p, "cloud_control.resources.list_resources"), Arguments: arguments("TypeName=AWS::S3::Bucket", "region=eu-west-1"),
	}, []exchange{
		{request: `POST /?Action=ListResources&Version=2021-09-30 {"TypeName":"AWS::S3::Bucket"}`, answer: `{"ResourceDescriptions":[{"Identifier":"a"}],"NextToken":"n"}`},
		{request: `POST /?Action=ListResources&Version=2021-09-30 {"NextToken":"n","TypeName":"AWS::S3::Bucket"}`, answer: `{"ResourceDescriptions":[{"Identifier":"b"}]}`},
	})
	if err != nil || !slices.Equal(rows, []string{`{"Identifier":"a"}`, `{"Identifier":"b"}`}) {
		t.Errorf("%v %q", err, rows)
	}
}
