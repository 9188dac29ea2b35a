package procedure

// Supplement is the procedure as papers are added to a submission of it: nothing is asked, for the form was confirmed then,
// no paper in particular is wanted, and nothing is paid a second time.
func (p *Procedure) Supplement() *Procedure {
	s := *p
	s.Fields, s.Papers, s.Fee = nil, nil, Fee{}
	return &s
}
