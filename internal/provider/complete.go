package provider

// Complete gives a provider that has what the first one has and, beside it, the
// services and resources that only the second one has: the built-in documents of
// a provider go on as they are when more of the provider is installed.
func Complete(first, second *Provider) *Provider {
	p := *first
	if first.Version != second.Version {
		p.Version = first.Version + ", " + second.Version
	}
	p.Services, p.parts = nil, []*Provider{first, second}
	p.services = map[string]*slot{}
	for _, info := range first.Services {
		p.Services = append(p.Services, info)
		p.services[info.Name] = &slot{open: func() (*Service, error) {
			s, err := first.Service(info.Name)
			if second.services[info.Name] == nil || err != nil {
				return s, err
			}
			more, err := second.Service(info.Name)
			if err != nil {
				return s, nil // what the first has does not depend on it; Diagnose tells of it
			}
			return s.with(more), nil
		}}
	}
	for _, info := range second.Services {
		if p.services[info.Name] == nil {
			p.Services = append(p.Services, info)
			p.services[info.Name] = &slot{open: func() (*Service, error) { return second.Service(info.Name) }}
		}
	}
	return &p
}

// with gives the service with the resources besides that only the other has.
func (s *Service) with(other *Service) *Service {
	both := *s
	both.names = append([]string(nil), s.names...)
	both.cells = map[string]*cell{}
	for name, c := range s.cells {
		both.cells[name] = c
	}
	for _, name := range other.names {
		if both.cells[name] == nil {
			both.names = append(both.names, name)
			both.cells[name] = other.cells[name]
		}
	}
	return &both
}

// Broken gives a provider whose documents cannot be read: it has no services,
// and whoever asks for one is told why.
func Broken(name string, err error) *Provider {
	return &Provider{Name: name, Err: err, services: map[string]*slot{}}
}
