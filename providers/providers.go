// Package providers carries the provider documents that are built into planeql.
//
// The documents are in the published StackQL provider format: one provider.yaml for each provider and
// version, and one OpenAPI document for each service with its SQL resources under
// components.x-stackQL-resources. The package only hands out the files; reading, checking and
// compiling them is the work of the packages that load documents, so that built-in and pulled
// documents take the same way.
//
// Start reading at azure/v00.00.00000/provider.yaml, then at the service documents beside it.
package providers

import "embed"

// FS holds the built-in documents as <provider>/<version>/provider.yaml and
// <provider>/<version>/services/<service>.yaml. The service.$ref of a provider.yaml is a path in it.
// FS is read-only and safe for concurrent use.
//
//go:embed azure
var FS embed.FS
