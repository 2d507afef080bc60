package armsim

import (
	"errors"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/desktopvirtualization/armdesktopvirtualization/v2"
)

// life is what Microsoft's client does with one resource: each step gives the text
// that was last written, as the service answers it.
type life struct {
	create, read, change func() (*string, error)
	remove               func() error
}

// lived says that the text written by each step is read back, and that a deleted
// resource is gone.
func (l life) lived(t *testing.T) {
	t.Helper()
	is := func(step, want string, do func() (*string, error)) {
		t.Helper()
		if got, err := do(); err != nil || got == nil || *got != want {
			t.Errorf("%s: %v, %v, want %q", step, got, err, want)
		}
	}
	is("create", "one", l.create)
	is("read", "one", l.read)
	is("create again", "one", l.create)
	is("change", "two", l.change)
	is("read", "two", l.read)
	if l.remove == nil {
		return
	}
	if err := l.remove(); err != nil {
		t.Error(err)
	}
	var gone *azcore.ResponseError
	if _, err := l.read(); !errors.As(err, &gone) || gone.StatusCode != http.StatusNotFound {
		t.Errorf("read after the deletion: %v", err)
	}
}

// TestMicrosoftClientsManageEveryResource creates, reads, changes and deletes one of
// each resource of Azure Virtual Desktop that can be made.
func TestMicrosoftClientsManageEveryResource(t *testing.T) {
	_, clients := microsoft(t)
	for name, l := range map[string]life{
		"workspace": lifeOfWorkspace(t, clients), "application group": lifeOfApplicationGroup(t, clients),
		"application": lifeOfApplication(t, clients), "scaling plan": lifeOfScalingPlan(t, clients),
		"pooled schedule": lifeOfPooledSchedule(t, clients), "personal schedule": lifeOfPersonalSchedule(t, clients),
		"MSIX package": lifeOfMSIXPackage(t, clients), "app attach package": lifeOfAppAttachPackage(t, clients),
		"desktop": lifeOfDesktop(t, clients),
	} {
		t.Run(name, l.lived)
	}
}

const (
	poolID   = avdPath + "/hostPools/hp-office"
	sdkPlan  = "sp-office"
	sdkPlace = "westeurope"
)

func lifeOfWorkspace(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewWorkspacesClient(), t.Context()
	return life{
		create: func() (*string, error) {
			made, err := client.CreateOrUpdate(ctx, sdkGroup, "ws-new", sdk.Workspace{Location: to.Ptr(sdkPlace), Properties: &sdk.WorkspaceProperties{Description: to.Ptr("one")}}, nil)
			return text(made.Properties != nil, func() *string { return made.Properties.Description }), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, "ws-new", nil)
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, "ws-new", &sdk.WorkspacesClientUpdateOptions{Workspace: &sdk.WorkspacePatch{Properties: &sdk.WorkspacePatchProperties{Description: to.Ptr("two")}}})
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, "ws-new", nil); return err },
	}
}

// text gives a text where there is something to take it from.
func text(there bool, take func() *string) *string {
	if !there {
		return nil
	}
	return take()
}

func lifeOfApplicationGroup(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewApplicationGroupsClient(), t.Context()
	return life{
		create: func() (*string, error) {
			made, err := client.CreateOrUpdate(ctx, sdkGroup, "hp-office-new", sdk.ApplicationGroup{Location: to.Ptr(sdkPlace), Properties: &sdk.ApplicationGroupProperties{
				ApplicationGroupType: to.Ptr(sdk.ApplicationGroupTypeRemoteApp), HostPoolArmPath: to.Ptr(poolID), Description: to.Ptr("one"),
			}}, nil)
			return text(made.Properties != nil, func() *string { return made.Properties.Description }), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, "hp-office-new", nil)
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, "hp-office-new", &sdk.ApplicationGroupsClientUpdateOptions{ApplicationGroup: &sdk.ApplicationGroupPatch{Properties: &sdk.ApplicationGroupPatchProperties{Description: to.Ptr("two")}}})
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, "hp-office-new", nil); return err },
	}
}

func lifeOfApplication(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewApplicationsClient(), t.Context()
	const group = "hp-office-dag"
	return life{
		create: func() (*string, error) {
			made, err := client.CreateOrUpdate(ctx, sdkGroup, group, "app", sdk.Application{Properties: &sdk.ApplicationProperties{
				CommandLineSetting: to.Ptr(sdk.CommandLineSettingAllow), FilePath: to.Ptr(`C:\app.exe`), Description: to.Ptr("one"),
			}}, nil)
			return text(made.Properties != nil, func() *string { return made.Properties.Description }), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, group, "app", nil)
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, group, "app", &sdk.ApplicationsClientUpdateOptions{Application: &sdk.ApplicationPatch{Properties: &sdk.ApplicationPatchProperties{Description: to.Ptr("two")}}})
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, group, "app", nil); return err },
	}
}

func lifeOfScalingPlan(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewScalingPlansClient(), t.Context()
	return life{
		create: func() (*string, error) {
			made, err := client.Create(ctx, sdkGroup, "sp-new", sdk.ScalingPlan{Location: to.Ptr(sdkPlace), Properties: &sdk.ScalingPlanProperties{
				TimeZone: to.Ptr("W. Europe Standard Time"), Description: to.Ptr("one"),
			}}, nil)
			return text(made.Properties != nil, func() *string { return made.Properties.Description }), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, "sp-new", nil)
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, "sp-new", &sdk.ScalingPlansClientUpdateOptions{ScalingPlan: &sdk.ScalingPlanPatch{Properties: &sdk.ScalingPlanPatchProperties{Description: to.Ptr("two")}}})
			return text(got.Properties != nil, func() *string { return got.Properties.Description }), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, "sp-new", nil); return err },
	}
}

func lifeOfPooledSchedule(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewScalingPlanPooledSchedulesClient(), t.Context()
	message := func(p *sdk.ScalingPlanPooledScheduleProperties) *string {
		return text(p != nil, func() *string { return p.RampDownNotificationMessage })
	}
	return life{
		create: func() (*string, error) {
			made, err := client.Create(ctx, sdkGroup, sdkPlan, "weekend", sdk.ScalingPlanPooledSchedule{Properties: &sdk.ScalingPlanPooledScheduleProperties{
				DaysOfWeek: []*sdk.DayOfWeek{to.Ptr(sdk.DayOfWeekSunday)}, RampDownNotificationMessage: to.Ptr("one"),
				PeakStartTime: &sdk.Time{Hour: to.Ptr[int32](9), Minute: to.Ptr[int32](0)},
			}}, nil)
			return message(made.Properties), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, sdkPlan, "weekend", nil)
			return message(got.Properties), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, sdkPlan, "weekend", &sdk.ScalingPlanPooledSchedulesClientUpdateOptions{
				ScalingPlanSchedule: &sdk.ScalingPlanPooledSchedulePatch{Properties: &sdk.ScalingPlanPooledScheduleProperties{RampDownNotificationMessage: to.Ptr("two")}},
			})
			return message(got.Properties), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, sdkPlan, "weekend", nil); return err },
	}
}

func lifeOfPersonalSchedule(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewScalingPlanPersonalSchedulesClient(), t.Context()
	words := map[sdk.SessionHandlingOperation]string{sdk.SessionHandlingOperationDeallocate: "one", sdk.SessionHandlingOperationHibernate: "two"}
	action := func(p *sdk.ScalingPlanPersonalScheduleProperties) *string {
		return text(p != nil && p.PeakActionOnLogoff != nil, func() *string { return to.Ptr(words[*p.PeakActionOnLogoff]) })
	}
	with := func(a sdk.SessionHandlingOperation) *sdk.ScalingPlanPersonalScheduleProperties {
		return &sdk.ScalingPlanPersonalScheduleProperties{PeakActionOnLogoff: &a}
	}
	return life{
		create: func() (*string, error) {
			made, err := client.Create(ctx, sdkGroup, sdkPlan, "weekend", sdk.ScalingPlanPersonalSchedule{Properties: with(sdk.SessionHandlingOperationDeallocate)}, nil)
			return action(made.Properties), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, sdkPlan, "weekend", nil)
			return action(got.Properties), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, sdkPlan, "weekend", &sdk.ScalingPlanPersonalSchedulesClientUpdateOptions{
				ScalingPlanSchedule: &sdk.ScalingPlanPersonalSchedulePatch{Properties: with(sdk.SessionHandlingOperationHibernate)},
			})
			return action(got.Properties), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, sdkPlan, "weekend", nil); return err },
	}
}

func lifeOfMSIXPackage(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewMSIXPackagesClient(), t.Context()
	const name = "Reader_1.0.0.0_x64__8wekyb3d8bbwe"
	return life{
		create: func() (*string, error) {
			made, err := client.CreateOrUpdate(ctx, sdkGroup, sdkPool, name, sdk.MSIXPackage{Properties: &sdk.MSIXPackageProperties{DisplayName: to.Ptr("one"), ImagePath: to.Ptr(`\\share\Reader.vhdx`)}}, nil)
			return text(made.Properties != nil, func() *string { return made.Properties.DisplayName }), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, sdkPool, name, nil)
			return text(got.Properties != nil, func() *string { return got.Properties.DisplayName }), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, sdkPool, name, &sdk.MSIXPackagesClientUpdateOptions{MsixPackage: &sdk.MSIXPackagePatch{Properties: &sdk.MSIXPackagePatchProperties{DisplayName: to.Ptr("two")}}})
			return text(got.Properties != nil, func() *string { return got.Properties.DisplayName }), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, sdkPool, name, nil); return err },
	}
}

func lifeOfAppAttachPackage(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewAppAttachPackageClient(), t.Context()
	shown := func(p *sdk.AppAttachPackageProperties) *string {
		return text(p != nil && p.Image != nil, func() *string { return p.Image.DisplayName })
	}
	with := func(name string) *sdk.AppAttachPackageInfoProperties {
		return &sdk.AppAttachPackageInfoProperties{DisplayName: to.Ptr(name)}
	}
	return life{
		create: func() (*string, error) {
			made, err := client.CreateOrUpdate(ctx, sdkGroup, "reader", sdk.AppAttachPackage{Location: to.Ptr(sdkPlace), Properties: &sdk.AppAttachPackageProperties{Image: with("one")}}, nil)
			return shown(made.Properties), err
		},
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, "reader", nil)
			return shown(got.Properties), err
		},
		change: func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, "reader", &sdk.AppAttachPackageClientUpdateOptions{
				AppAttachPackagePatch: &sdk.AppAttachPackagePatch{Properties: &sdk.AppAttachPackagePatchProperties{Image: with("two")}},
			})
			return shown(got.Properties), err
		},
		remove: func() error { _, err := client.Delete(ctx, sdkGroup, "reader", nil); return err },
	}
}

// lifeOfDesktop is that of the one desktop of a group, which comes and goes with it.
func lifeOfDesktop(t *testing.T, clients *sdk.ClientFactory) life {
	client, ctx := clients.NewDesktopsClient(), t.Context()
	const group, name = "hp-office-dag", "SessionDesktop"
	write := func(text string) func() (*string, error) {
		return func() (*string, error) {
			got, err := client.Update(ctx, sdkGroup, group, name, &sdk.DesktopsClientUpdateOptions{Desktop: &sdk.DesktopPatch{Properties: &sdk.DesktopPatchProperties{Description: &text}}})
			if err != nil {
				return nil, err
			}
			return got.Properties.Description, nil
		}
	}
	return life{
		create: write("one"), change: write("two"),
		read: func() (*string, error) {
			got, err := client.Get(ctx, sdkGroup, group, name, nil)
			if err != nil {
				return nil, err
			}
			return got.Properties.Description, nil
		},
	}
}
