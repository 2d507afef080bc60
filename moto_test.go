package planeql_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/planeql/planeql"
)

// Round trips through the published documents of AWS against moto, a simulator of
// AWS from PyPI that others have written: list, make, read, delete. It runs where
// PLANEQL_MOTO is the address of a fresh one:
//
//	pip install 'moto[server]' && moto_server -p 5999 &
//	PLANEQL_MOTO=http://127.0.0.1:5999 go test . -run TestMoto
func TestMoto(t *testing.T) {
	url := os.Getenv("PLANEQL_MOTO")
	if url == "" {
		t.Skip("PLANEQL_MOTO is not the address of a moto server")
	}
	s := openMoto(t, url, "aws.tar.zst")
	for _, step := range []struct{ text, want string }{ // no want: what is given back does not count
		{"SELECT count(*) FROM aws.iam.users", "[[0]]"},
		{"INSERT INTO aws.iam.users (UserName, Path) VALUES ('ann', '/a/'), ('bob', '/b/')", ""},
		{"SELECT UserName, Path FROM aws.iam.users ORDER BY 1", "[[ann /a/] [bob /b/]]"},
		{"SELECT UserName FROM aws.iam.users WHERE PathPrefix = '/b/'", "[[bob]]"},
		{"SELECT Arn FROM aws.iam.users WHERE UserName = 'ann'", "[[arn:aws:iam::123456789012:user/a/ann]]"},
		{"DELETE FROM aws.iam.users WHERE UserName IN ('ann', 'bob')", ""},
		{"SELECT count(*) FROM aws.iam.users", "[[0]]"},

		{"INSERT INTO aws.s3.buckets (bucket, region) VALUES ('planeql-bucket', 'us-east-1') ON CONFLICT DO UPDATE", ""},
		{"SELECT Name FROM aws.s3.buckets WHERE region = 'us-east-1'", "[[planeql-bucket]]"},
		{"DELETE FROM aws.s3.buckets WHERE bucket = 'planeql-bucket' AND region = 'us-east-1'", ""},
		{"SELECT count(*) FROM aws.s3.buckets WHERE region = 'us-east-1'", "[[0]]"},

		{"INSERT INTO aws.sqs.queues (QueueName, region) VALUES ('planeql-1', 'us-east-1'), ('planeql-2', 'us-east-1')", ""},
		{"SELECT count(*) FROM aws.sqs.queues WHERE region = 'us-east-1' AND QueueNamePrefix = 'planeql'", "[[2]]"},
		{"EXEC aws.sqs.queues.delete_queue @QueueUrl = '" + url + "/123456789012/planeql-1', @region = 'us-east-1'", ""},
		{"INSERT INTO aws.sqs.queues (QueueName, region) VALUES ('planeql-3', 'us-east-1')", ""},
		{"DELETE FROM aws.sqs.queues WHERE QueueUrl = '" + url + "/123456789012/planeql-2' AND region = 'us-east-1'", ""},
		{"DELETE FROM aws.sqs.queues WHERE region = 'us-east-1' AND QueueNamePrefix = 'planeql' AND queue_url LIKE '%3'", ""},
		{"SELECT count(*) FROM aws.sqs.queues WHERE region = 'us-east-1'", "[[0]]"},

		{`INSERT INTO aws.dynamodb.tables (TableName, AttributeDefinitions, KeySchema, BillingMode, region) VALUES
			('t', '[{"AttributeName": "id", "AttributeType": "S"}]', '[{"AttributeName": "id", "KeyType": "HASH"}]', 'PAY_PER_REQUEST', 'us-east-1')`, ""},
		{"UPDATE aws.dynamodb.tables SET DeletionProtectionEnabled = true WHERE TableName = 't' AND region = 'us-east-1'", ""},
		{"UPDATE aws.dynamodb.tables SET DeletionProtectionEnabled = false WHERE TableName = 't' AND region = 'us-east-1'", ""},
		{"DELETE FROM aws.dynamodb.tables WHERE TableName = 't' AND region = 'us-east-1'", ""},
	} {
		rows := must(t, s, step.text)
		if got := fmt.Sprint(rows); step.want != "" && got != step.want {
			t.Errorf("%s\n%s, want %s", step.text, got, step.want)
		}
	}
}

// openMoto opens a session on the documents of AWS in an archive.
func openMoto(t *testing.T, url, archive string) *planeql.Session {
	t.Helper()
	getenv := func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}[name]
	}
	s, err := planeql.Open(t.Context(), planeql.WithDocuments(published(t, archive, "aws"), "aws"),
		planeql.WithEndpoint("aws", url), planeql.WithEnvironment(getenv), planeql.WithYes())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The published set lacks the document of ec2, so that the round trip is through
// the one that StackQL's own tests use: rows by an XPath, names of elements
// beside those of members.
func TestMoto_ec2(t *testing.T) {
	url := os.Getenv("PLANEQL_MOTO")
	if url == "" {
		t.Skip("PLANEQL_MOTO is not the address of a moto server")
	}
	s := openMoto(t, url, "test-registry.tar.zst")
	const where = " FROM aws.ec2.vpcs WHERE region = 'us-east-1' AND cidrBlock = '10.77.0.0/16'"
	must(t, s, "INSERT INTO aws.ec2.vpcs (CidrBlock, region) VALUES ('10.77.0.0/16', 'us-east-1')")
	rows := must(t, s, "SELECT state, isDefault, vpcId"+where)
	if len(rows) != 1 || !strings.HasPrefix(fmt.Sprint(rows[0]), "[available false vpc-") {
		t.Fatalf("%v", rows)
	}
	filtered := must(t, s, `SELECT cidrBlock FROM aws.ec2.vpcs WHERE region = 'us-east-1' AND Filter = '[{"Name": "cidr", "Value": ["10.77.0.0/16"]}]'`)
	if fmt.Sprint(filtered) != "[[10.77.0.0/16]]" {
		t.Errorf("%v", filtered)
	}
	id := fmt.Sprint(rows[0][2])
	if rows := must(t, s, "SELECT cidrBlock FROM aws.ec2.vpcs WHERE region = 'us-east-1' AND VpcId = '[\""+id+"\"]'"); fmt.Sprint(rows) != "[[10.77.0.0/16]]" {
		t.Errorf("%v", rows)
	}
	must(t, s, "INSERT INTO aws.ec2.volumes (AvailabilityZone, Size, region) VALUES ('us-east-1a', 8, 'us-east-1')")
	if rows := must(t, s, "SELECT availability_zone, size FROM aws.ec2.volumes WHERE region = 'us-east-1' AND size = 8"); fmt.Sprint(rows) != "[[us-east-1a 8]]" {
		t.Errorf("%v", rows)
	}
	must(t, s, "DELETE FROM aws.ec2.vpcs WHERE region = 'us-east-1' AND VpcId = '"+id+"'")
	if rows := must(t, s, "SELECT count(*)"+where); fmt.Sprint(rows) != "[[0]]" {
		t.Errorf("%v", rows)
	}
}
