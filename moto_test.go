package planeql_test

import (
	"fmt"
	"os"
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
	getenv := func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}[name]
	}
	s, err := planeql.Open(t.Context(), planeql.WithDocuments(published(t, "aws.tar.zst", "aws"), "aws"),
		planeql.WithEndpoint("aws", url), planeql.WithEnvironment(getenv), planeql.WithYes())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
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
