package armsim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func TestParseBehaviour(t *testing.T) {
	const body = `{"location":"westeurope","properties":{}}`
	workspace := avdPath + "/workspaces/ws-new?" + version
	for text, want := range map[string]int{
		"":               http.StatusCreated,
		"reuse-sessions": http.StatusCreated,
		"deny=Microsoft.DesktopVirtualization/workspaces": http.StatusForbidden,
		"deny=Microsoft.DesktopVirtualization/hostPools":  http.StatusCreated,
		"location=northeurope, location=westeurope":       http.StatusCreated,
		"location=northeurope":                            http.StatusForbidden,
		"tag=owner":                                       http.StatusForbidden,
	} {
		option, err := ParseBehaviour(text)
		if err != nil {
			t.Fatal(err)
		}
		ask(t, newSim(t, option), http.MethodPut, workspace, body).want(t, want)
	}
	option, err := ParseBehaviour("soft-delete=Microsoft.DesktopVirtualization/workspaces")
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, option)
	ask(t, s, http.MethodPut, workspace, body).want(t, http.StatusCreated)
	ask(t, s, http.MethodDelete, workspace, "").want(t, http.StatusOK)
	ask(t, s, http.MethodPut, workspace, body).want(t, http.StatusConflict)
	for text, hint := range map[string]string{"soft-delet=x": "soft-delete", "reuse-sessions=1": "no value", "tag": "name of a tag"} {
		if _, err := ParseBehaviour(text); fault.As(err) == nil || !strings.Contains(fault.As(err).Hint, hint) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
