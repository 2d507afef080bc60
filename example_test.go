package planeql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// fakeAzure starts the simulator that the examples talk to. It stands for
// Azure: a program that speaks to the real one has neither this nor
// WithEndpoint.
func fakeAzure() *httptest.Server {
	sim, err := armsim.New(armsim.WithoutAuth())
	if err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(sim)
}

// Rows come as they are read; the pool is a parameter of the call, its sessions
// are counted by DuckDB.
func ExampleSession_Query() {
	azure := fakeAzure()
	defer azure.Close()
	ctx := context.Background()
	s, err := planeql.Open(ctx, planeql.WithEndpoint("azure", azure.URL), planeql.WithAuth("azure", "none", nil))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	rows, err := s.Query(ctx, `
		SELECT sessionState, count(*) AS sessions
		FROM azure.desktop_virtualization.user_sessions
		WHERE subscriptionId = $1 AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office'
		GROUP BY ALL ORDER BY ALL`, armsim.ProductionSubscription)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var sessions int
		if err := rows.Scan(&state, &sessions); err != nil {
			log.Fatal(err)
		}
		fmt.Println(state, sessions)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(rows.Summary().Calls, "call")
	// Output:
	// Active 36
	// Disconnected 11
	// LogOff 1
	// Pending 8
	// 1 call
}

// A method of a resource is called by EXEC; the body is JSON.
func ExampleSession_Exec() {
	azure := fakeAzure()
	defer azure.Close()
	ctx := context.Background()
	s, err := planeql.Open(ctx, planeql.WithEndpoint("azure", azure.URL), planeql.WithAuth("azure", "none", nil))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	summary, err := s.Exec(ctx, `
		EXEC azure.desktop_virtualization.user_sessions.send_message
		@subscriptionId = ?, @resourceGroupName = 'rg-avd-prod-weu', @hostPoolName = 'hp-office',
		@sessionHostName = 'office-0.contoso.com', @userSessionId = 2,
		@@json = '{"messageTitle": "Maintenance", "messageBody": "Please save your work."}'`,
		armsim.ProductionSubscription)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(summary.Kind, summary.Rows, "target,", summary.Calls, "call")
	// Output:
	// exec 1 target, 1 call
}

// Options bound what a statement may do and cost. A dry run shows the exact
// request of a write and sends none.
func ExampleOpen_options() {
	ctx := context.Background()
	s, err := planeql.Open(ctx,
		planeql.WithAuth("azure", "none", nil),
		planeql.WithDryRun(),
		planeql.WithTimeout(time.Minute),
		planeql.WithMaxCalls(100),
		planeql.WithOnError(planeql.Skip),
		planeql.WithVariables(map[string]string{"pool": "hp-office"}),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	rows, err := s.Query(ctx, `
		DELETE FROM azure.desktop_virtualization.user_sessions
		WHERE subscriptionId = '8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01' AND resourceGroupName = 'rg'
		AND hostPoolName = '{{ pool }}' AND sessionHostName = 'host-0' AND userSessionId = '3' AND force = true`)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		fmt.Println(rows.Values()[0], rows.Values()[1])
	}
	// Output:
	// DELETE https://management.azure.com/subscriptions/8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/hostPools/hp-office/sessionHosts/host-0/userSessions/3?api-version=2024-04-03&force=true
}

// Errors carry a code, a position and what to do next.
func ExampleError() {
	ctx := context.Background()
	s, err := planeql.Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	_, err = s.Query(ctx, "SELECT * FROM azure.desktop_virtualization.user_session")
	if e, ok := errors.AsType[*planeql.Error](err); ok {
		fmt.Println(e.Code)
		fmt.Println(e.Print())
	}
	// Output:
	// 42P01
	// error 42P01: the service "azure.desktop_virtualization" has no resource "user_session"
	//   at query:1:15
	//   | SELECT * FROM azure.desktop_virtualization.user_session
	//   |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
	//   hint: did you mean user_sessions?
}

// The database/sql driver opens a session for each connection.
func ExampleNewConnector() {
	azure := fakeAzure()
	defer azure.Close()
	db := sql.OpenDB(planeql.NewConnector(
		planeql.WithEndpoint("azure", azure.URL), planeql.WithAuth("azure", "none", nil)))
	defer db.Close()

	var pools int
	err := db.QueryRow(`SELECT count(*) FROM azure.desktop_virtualization.host_pools WHERE subscriptionId = ?`,
		armsim.ProductionSubscription).Scan(&pools)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pools, "pools")
	// Output:
	// 3 pools
}
