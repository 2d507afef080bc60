package armsim

import (
	"math/rand/v2"
	"strings"
)

// The names from which users are made. They are invented; the combinations are
// many enough for the large estate.
var (
	givenNames = []string{
		"dana", "omar", "ingrid", "wei", "priya", "lucas", "sofia", "marek", "aisha", "tom", "yuki", "elena",
		"noah", "fatima", "jonas", "carla", "ravi", "hanna", "pedro", "mei", "anton", "grace", "leila", "sven",
		"nina", "kofi", "emma", "diego", "olga", "liam", "zara", "henrik", "julia", "samir", "clara", "viktor",
	}
	familyNames = []string{
		"kim", "haddad", "larsen", "chen", "sharma", "moreau", "rossi", "nowak", "okafor", "baker", "tanaka",
		"petrova", "meyer", "rahman", "lindqvist", "ferrari", "iyer", "virtanen", "alvarez", "zhang", "weber",
		"mensah", "karimi", "johansson", "costa", "dubois", "novak", "suzuki", "schmidt", "silva", "ivanova",
		"murphy", "ahmed", "hansen", "fischer", "romero", "kowalski", "andersen", "bauer", "santos",
	}
)

// someone draws the principal name of a user of the domain.
func someone(rng *rand.Rand, domain string) string {
	given, family := givenNames[rng.IntN(len(givenNames))], familyNames[rng.IntN(len(familyNames))]
	return given + "." + family + "@" + domain
}

// sessionStates are the states of sessions in an ordinary hour, with their
// shares in percent.
var sessionStates = []struct {
	state string
	share int
}{{"Active", 62}, {"Disconnected", 31}, {"Pending", 5}, {"LogOff", 2}}

// someState draws the state of a session.
func someState(rng *rand.Rand) string {
	n := rng.IntN(100)
	for _, s := range sessionStates {
		if n < s.share {
			return s.state
		}
		n -= s.share
	}
	return "Active"
}

// accountOf gives the account of a user principal name: of the domain for hosts
// that are joined to one, else the display form that Entra-joined hosts report.
func accountOf(principal string, domainJoined bool) string {
	local, domain, _ := strings.Cut(principal, "@")
	if !domainJoined {
		var display strings.Builder
		for part := range strings.SplitSeq(local, ".") {
			display.WriteString(strings.ToUpper(part[:min(1, len(part))]) + part[min(1, len(part)):])
		}
		return `AzureAD\` + display.String()
	}
	short, _, _ := strings.Cut(domain, ".")
	return strings.ToUpper(firstOf(short, "local")) + `\` + local
}
