package armsim

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/desktopvirtualization/armdesktopvirtualization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// finish polls one of Microsoft's pollers to its end without waiting between polls.
func finish[T any](t *testing.T, poller *runtime.Poller[T], err error) (T, error) {
	t.Helper()
	if err != nil {
		var none T
		return none, err
	}
	for range 20 {
		if poller.Done() {
			break
		}
		if _, err := poller.Poll(t.Context()); err != nil {
			var none T
			return none, err
		}
	}
	return poller.Result(t.Context())
}

// TestMicrosoftPollersEndInEveryStyle has Microsoft's pollers create, change, stop
// and delete a machine in each style that they know. The client of Compute takes
// no 202 for a PATCH.
func TestMicrosoftPollersEndInEveryStyle(t *testing.T) {
	for _, rule := range []string{
		"polls=2", "style=none", "style=aao,polls=3", "style=aao+loc", "style=aao,answer=full", "style=aao,answer=status",
		"style=aao,answer=accepted", "style=aao,answer=lower", "style=operation-location,answer=full",
		"style=loc", "style=loc,answer=moved", "style=loc,answer=accepted", "style=aao-done",
	} {
		testMachineStyle(t, rule+";"+rule+",method=PATCH,status=200")
	}
	testMachineStyle(t, "style=body;style=loc,answer=empty,method=DELETE;style=loc,answer=no-content,method=POST")
}

func testMachineStyle(t *testing.T, rule string) {
	t.Run(rule, func(t *testing.T) {
		rules, err := ParseLongRunning(rule)
		if err != nil {
			t.Fatal(err)
		}
		server, options := forMicrosoft(t, WithLongRunning(rules...), WithOperations(1, 0))
		machines, err := armcompute.NewVirtualMachinesClient(ProductionSubscription, testCredential{}, options)
		if err != nil {
			t.Fatal(err)
		}
		lifeOfMachine(t, server, machines)
	})
}

// TestMicrosoftPollersTakeAcceptedChanges has azcore's poller follow PUTs and PATCHes
// that are answered with 202.
func TestMicrosoftPollersTakeAcceptedChanges(t *testing.T) {
	for _, rule := range []string{"style=aao", "style=loc", "style=aao+loc", "style=operation-location", "style=loc,answer=throttled,retry-after=1ms"} {
		rules, err := ParseLongRunning(rule + ",status=202")
		if err != nil {
			t.Fatal(err)
		}
		server, options := forMicrosoft(t, WithLongRunning(rules...), WithOperations(1, 0))
		client, err := arm.NewClient("test", "v1.0.0", testCredential{}, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			request, err := runtime.NewRequest(t.Context(), method, server.URL+avdPath+"/workspaces/ws-new?"+version)
			if err != nil {
				t.Fatal(err)
			}
			if err := runtime.MarshalAsJSON(request, map[string]any{"location": "westeurope"}); err != nil {
				t.Fatal(err)
			}
			begun, err := client.Pipeline().Do(request)
			if err != nil || begun.StatusCode != http.StatusAccepted {
				t.Fatalf("%s %s: %v, %v", rule, method, begun, err)
			}
			poller, err := runtime.NewPoller[sdk.Workspace](begun, client.Pipeline(), nil)
			made, err := finish(t, poller, err)
			if err != nil || made.Name == nil || *made.Name != "ws-new" {
				t.Errorf("%s %s: %+v, %v", rule, method, made, err)
			}
		}
	}
}

func lifeOfMachine(t *testing.T, server *Server, machines *armcompute.VirtualMachinesClient) {
	t.Helper()
	ctx := t.Context()
	create, err := machines.BeginCreateOrUpdate(ctx, sdkGroup, "new-0", armcompute.VirtualMachine{
		Location:   to.Ptr("westeurope"),
		Properties: &armcompute.VirtualMachineProperties{HardwareProfile: &armcompute.HardwareProfile{VMSize: to.Ptr(armcompute.VirtualMachineSizeTypesStandardD4SV3)}},
	}, nil)
	made, err := finish(t, create, err)
	if err != nil || made.Properties == nil || *made.Name != "new-0" || *made.Properties.ProvisioningState == "Creating" {
		t.Fatalf("create: %+v, %v", made, err)
	}
	update, err := machines.BeginUpdate(ctx, sdkGroup, "new-0", armcompute.VirtualMachineUpdate{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	if changed, err := finish(t, update, err); err != nil || *changed.Tags["a"] != "b" {
		t.Fatalf("update: %+v, %v", changed, err)
	}
	stop, err := machines.BeginDeallocate(ctx, sdkGroup, "new-0", nil)
	if _, err := finish(t, stop, err); err != nil {
		t.Fatalf("deallocate: %v", err)
	}
	view, err := machines.InstanceView(ctx, sdkGroup, "new-0", nil)
	if err != nil || *view.Statuses[1].Code != "PowerState/deallocated" {
		t.Fatalf("view: %+v, %v", view, err)
	}
	remove, err := machines.BeginDelete(ctx, sdkGroup, "new-0", nil)
	if _, err := finish(t, remove, err); err != nil {
		t.Fatalf("delete: %v", err)
	}
	_, err = machines.Get(ctx, sdkGroup, "new-0", nil)
	wantResponseError(t, err, http.StatusNotFound, "ResourceNotFound")
	for _, r := range server.Simulator.Requests() {
		if r.Status >= http.StatusBadRequest && r.Status != http.StatusNotFound {
			t.Errorf("%s %s: %d", r.Method, r.Path, r.Status)
		}
	}
}

func TestMicrosoftPollersSeeFailures(t *testing.T) {
	for rule, code := range map[string]string{
		"style=aao,end=failed,code=AllocationFailed": "AllocationFailed",
		"style=aao+loc,end=canceled,answer=full":     "OperationCanceled",
		"style=bare":                                 "", // azcore: the answer to a POST has no address to poll
	} {
		rules, err := ParseLongRunning(rule)
		if err != nil {
			t.Fatal(err)
		}
		_, options := forMicrosoft(t, WithLongRunning(rules...), WithOperations(0, 0))
		machines, err := armcompute.NewVirtualMachinesClient(ProductionSubscription, testCredential{}, options)
		if err != nil {
			t.Fatal(err)
		}
		poller, err := machines.BeginStart(t.Context(), sdkGroup, "office-0", nil)
		_, err = finish(t, poller, err)
		switch {
		case err == nil:
			t.Errorf("%s: no error", rule)
		case code != "":
			wantResponseError(t, err, http.StatusOK, code)
		}
	}
}

func TestMicrosoftClientsManageGroups(t *testing.T) {
	_, options := forMicrosoft(t, WithOperations(1, 0))
	groups, err := armresources.NewResourceGroupsClient(ProductionSubscription, testCredential{}, options)
	if err != nil {
		t.Fatal(err)
	}
	made, err := groups.CreateOrUpdate(t.Context(), "rg-new", armresources.ResourceGroup{Location: to.Ptr("northeurope")}, nil)
	if err != nil || *made.Properties.ProvisioningState != "Succeeded" {
		t.Fatalf("%+v, %v", made, err)
	}
	changed, err := groups.Update(t.Context(), "rg-new", armresources.ResourceGroupPatchable{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	if err != nil || *changed.Tags["a"] != "b" || *changed.Location != "northeurope" {
		t.Fatalf("%+v, %v", changed, err)
	}
	remove, err := groups.BeginDelete(t.Context(), "rg-new", nil)
	if _, err := finish(t, remove, err); err != nil {
		t.Fatal(err)
	}
	_, err = groups.Get(t.Context(), "rg-new", nil)
	wantResponseError(t, err, http.StatusNotFound, "ResourceGroupNotFound")
}

// TestMicrosoftClientLosesAnUpdate sends the etag of a version that another client
// has changed since.
func TestMicrosoftClientLosesAnUpdate(t *testing.T) {
	_, clients := microsoft(t, WithETags())
	pools := clients.NewHostPoolsClient()
	read, err := pools.Get(t.Context(), sdkGroup, sdkPool, nil)
	if err != nil || read.Etag == nil {
		t.Fatalf("%+v, %v", read, err)
	}
	change := &sdk.HostPoolsClientUpdateOptions{HostPool: &sdk.HostPoolPatch{Properties: &sdk.HostPoolPatchProperties{FriendlyName: to.Ptr("Other")}}}
	if _, err := pools.Update(t.Context(), sdkGroup, sdkPool, change); err != nil {
		t.Fatal(err)
	}
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"If-Match": {*read.Etag}})
	_, err = pools.Update(ctx, sdkGroup, sdkPool, change)
	wantResponseError(t, err, http.StatusPreconditionFailed, "PreconditionFailed")
}
