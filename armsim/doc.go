// Package armsim is a simulator of Azure Resource Manager: an [http.Handler]
// that answers for every resource type of the provider documents it is given
// (PUT, PATCH, GET, lists at each level, DELETE, actions), with the behaviour
// of Azure Virtual Desktop and of virtual machines on top. It keeps its state
// in memory, so that what one call changes the next one sees.
//
// It exists to test programs that speak to Azure: the SQL of planeql, but also
// Microsoft's own clients. Its estate, its identifiers and its faults follow
// from a seed, so two runs are alike.
//
//	server, err := armsim.Start("127.0.0.1:0", armsim.WithoutAuth())
//	…
//	defer server.Close()
//	http.Get(server.URL + "/subscriptions?api-version=2022-12-01")
//
// # What is simulated
//
// Every request needs an api-version that the type serves (400 otherwise) and a
// bearer token (401); subscription, resource group and parents have to exist
// (404); a type or path that no document knows is 404, a method that the path
// does not have 405. Paths, types, names and query parameters are compared
// without case.
//
// Identifiers come back as the real services write them, which is not as they
// were sent: Azure Virtual Desktop writes resourcegroups, hostpools and the
// like in lower case and names children after their parents, pool/host/3;
// Compute writes the resource group in upper case. Whoever compares
// identifiers with regard to case finds out here.
//
// PUT checks required members, types and enumerations, ignores read-only
// members, completes the envelope and keeps members it does not know. PATCH is
// a merge patch. DELETE answers 200 or 204. If-Match and If-None-Match are
// honoured; machines have an etag, everything else whose type has one has it with
// [WithETags].
//
// Making, deleting, starting and stopping a virtual machine and deleting a resource
// group are long-running operations: 201 or 202 with an address to poll.
// [WithLongRunning] runs any write in any style that real services have, and ends
// it well, badly or never. While an operation runs, other writes on what it
// changes are conflicts.
//
// Locks are resources of any scope (Microsoft.Authorization/locks) and refuse what
// they forbid, on POST actions too. On request, policies deny writes
// ([WithPolicies]), deleted resources keep their names ([WithSoftDelete]), reads are
// behind writes ([WithStaleReads]), and the numbers of sessions are given to others
// ([WithSessionReuse], [Simulator.ReuseSession]). [Request.Done] of the log of
// requests tells what was carried out, whether or not the caller has heard of it.
//
// A body is refused for a missing member that its schema requires, a missing
// location of what stands in a group, a value of another type, and a value outside
// an enumeration where the caller asks for the api-version that the enumeration is
// of; members that the schema does not know are kept, since newer services have
// them, and read-only ones ignored. A resource does not move, and keeps what its
// service keeps from the creation on, such as the type of a host pool.
//
// Lists have pages with an absolute nextLink; the last page of Azure Virtual
// Desktop has a null link, that of other services none. pageSize, $top,
// initialSkip, isDescending and $filter are honoured where the service has
// them. A page begins at an item, not at a count, so that a change between two
// pages neither repeats nor hides an item.
//
// User sessions can be disconnected, be sent messages ([Simulator.Messages])
// and logged off; the number of sessions of their host follows. A host with
// sessions and a pool with hosts are deleted with force=true only. Registration
// tokens are shown by the write that makes them and by the actions that retrieve
// them, never by a read. Starting, stopping and restarting a machine changes
// its power state and, when the operation ends, the session host on it.
//
// Answers carry request and correlation ids, the rest of the token buckets and
// the headers of the AVD service. The buckets are enforced with
// [WithThrottling] only.
//
// # What is not
//
// There is no sign-in (any bearer token will do unless [WithToken] says
// otherwise), no role assignments (but see Faults.Deny), no cost; answers are not compressed; nothing is kept on disk. Where
// the real service's answer is not known from recorded traffic or from its
// published contract, the simulator follows the general contract of Azure
// Resource Manager.
//
// # Where to start reading
//
// [New] and [Simulator.ServeHTTP]; [Start] and [StartTLS] serve it on a port.
// The road of one request is in serve.go, the checks on it in gate.go, the
// generic operations in read.go and write.go, what is special in avd.go and
// the files named after their subject. A new behaviour is a function in the
// table special.
package armsim
