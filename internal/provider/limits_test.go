package provider

import (
	"testing"
	"time"
)

func TestLimitAt(t *testing.T) {
	const sub = "8F2C1A5E-3b6d-4c7a-9e10-5d2f4b8a6c01"
	arm, other := &Resource{Family: ARM}, &Resource{}
	const header = "x-ms-ratelimit-remaining-"
	for name, test := range map[string]struct {
		method *Method
		path   string
		want   Limit
	}{
		"read": {&Method{Resource: arm, HTTPMethod: "GET"}, "/subscriptions/" + sub + "/resourceGroups/rg", Limit{
			"reads of a subscription", "8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01", ReadCall, 250, 25,
			header + "subscription-reads", header + "subscription-global-reads",
			header + "subscription-resource-requests", header + "resource",
		}},
		"POST that reads": {&Method{Resource: arm, HTTPMethod: "POST", ReadOnly: true}, "/Subscriptions/s/", Limit{
			"writes of a subscription", "s", WriteCall, 200, 10,
			header + "subscription-writes", header + "subscription-global-writes",
			header + "subscription-resource-requests", header + "resource",
		}},
		"delete": {&Method{Resource: arm, HTTPMethod: "DELETE"}, "/subscriptions/{subscriptionId}", Limit{
			"deletes of a subscription", "{subscriptionid}", DeleteCall, 200, 10,
			header + "subscription-deletes", header + "subscription-global-deletes",
			header + "subscription-resource-requests", header + "resource",
		}},
		"subscriptions": {&Method{Resource: arm, HTTPMethod: "GET"}, "/subscriptions", Limit{
			"reads of the tenant", "tenant", ReadCall, 250, 25, header + "tenant-reads", "", header + "tenant-resource-requests", header + "resource",
		}},
		"management group": {&Method{Resource: arm, HTTPMethod: "PUT"}, "/providers/Microsoft.Management/managementGroups/subscriptions", Limit{
			"writes of the tenant", "tenant", WriteCall, 200, 10, header + "tenant-writes", "", header + "tenant-resource-requests", header + "resource",
		}},
		"other family": {&Method{Resource: other, HTTPMethod: "GET"}, "/subscriptions/s", Limit{}},
		"no resource":  {&Method{HTTPMethod: "GET"}, "/subscriptions/s", Limit{}},
	} {
		if got := LimitAt(test.method, test.path); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
		test.method.Path = test.path
		if got := LimitOf(test.method); got != test.want {
			t.Errorf("%s: %+v by its template", name, got)
		}
	}
}

func TestLimit_Time(t *testing.T) {
	l := LimitOf(&Method{Resource: &Resource{Family: ARM}, HTTPMethod: "POST", Path: "/subscriptions/s"})
	for calls, want := range map[int]time.Duration{0: 0, 200: 0, 201: 100 * time.Millisecond, 1000: 80 * time.Second, 5000: 480 * time.Second} {
		if got := l.Time(calls); got != want {
			t.Errorf("%d calls take %s, want %s", calls, got, want)
		}
	}
	if got := (Limit{}).Time(1 << 30); got != 0 {
		t.Errorf("%s without a limit", got)
	}
}

func TestHoldsAt(t *testing.T) {
	for address, want := range map[string]bool{
		"https://management.azure.com/subscriptions":     true,
		"https://MANAGEMENT.azure.com:443/":              true,
		"https://management.chinacloudapi.cn":            true,
		"https://management.usgovcloudapi.net/x":         true,
		"http://127.0.0.1:8080/":                         false,
		"https://management.azure.com.example.com/":      false,
		"https://proxy.example.com/management.azure.com": false,
		"://": false,
	} {
		if HoldsAt(ARM, address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
	if HoldsAt(Generic, "https://management.azure.com/") {
		t.Error("a limit of another family")
	}
}
