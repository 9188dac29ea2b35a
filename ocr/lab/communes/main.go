// Command communes makes ocr/vn/communes.txt, the wards, communes and townships of Vietnam, from two public lists of them: every version of
// github.com/daohoangson/dvhcvn for those until July 2025, by district, and github.com/thanglequoc/vietnamese-provinces-database for those
// since, by province. In go clones of both with their history, out comes one district or province a line.
//
//	git clone --bare https://github.com/daohoangson/dvhcvn old
//	git clone --bare https://github.com/thanglequoc/vietnamese-provinces-database new
//	go run ./ocr/lab/communes -old old -new new >ocr/vn/communes.txt
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

func main() {
	before := flag.String("old", "", "git folder of dvhcvn")
	since := flag.String("new", "", "git folder of vietnamese-provinces-database")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	if err := write(out, *before, *since); err != nil {
		fmt.Fprintln(os.Stderr, "communes:", err)
		os.Exit(1)
	}
}

func write(w *bufio.Writer, before, since string) error {
	districts, err := ofDistricts(before)
	if err != nil {
		return err
	}
	for _, d := range slices.Sorted(maps.Keys(districts)) {
		line(w, d, districts[d])
	}
	names, wards, err := ofProvinces(since)
	if err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(names)) {
		line(w, names[code], wards[code])
	}
	return w.Flush()
}

func line(w io.Writer, place string, names map[string]bool) {
	fmt.Fprintf(w, "%s: %s\n", place, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}

func git(dir string, args ...string) ([]byte, error) {
	out, err := exec.Command("git", append([]string{"--git-dir", dir}, args...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

// list is what dvhcvn.json holds.
type list struct {
	Data []struct {
		Code   string `json:"level1_id"`
		Level2 []struct {
			Name   string `json:"name"`
			Level3 []struct {
				Name string `json:"name"`
			} `json:"level3s"`
		} `json:"level2s"`
	} `json:"data"`
}

const oldList = "data/dvhcvn.json"

// ofDistricts are the communes of every district at any time, by "022 Bình Liêu".
func ofDistricts(dir string) (map[string]map[string]bool, error) {
	versions, err := git(dir, "log", "--format=%H", "--", oldList)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]bool{}
	for _, version := range strings.Fields(string(versions)) {
		b, err := git(dir, "show", version+":"+oldList)
		if err != nil {
			return nil, err
		}
		var l list
		if err := json.Unmarshal(b, &l); err != nil {
			return nil, fmt.Errorf("read the list of %.8s: %w", version, err)
		}
		for _, province := range l.Data {
			for _, d := range province.Level2 {
				key := "0" + province.Code + " " + bare(d.Name)
				for _, c := range d.Level3 {
					put(out, key, bare(c.Name))
				}
			}
		}
	}
	return out, nil
}

func put(all map[string]map[string]bool, key, name string) {
	if name == "" {
		return // an island district has none
	}
	if all[key] == nil {
		all[key] = map[string]bool{}
	}
	all[key][name] = true
}

const newLists = "dataset-generation-scripts/resources/manual_seeds/"

// seed is a row of the newer list: code, name, and of a commune its province.
var seed = regexp.MustCompile(`\('(\d+)',\s*'((?:[^']|'')+)'(?:,\s*'(\d+)')?\)`)

// ofProvinces are the names of provinces since July 2025, and their communes, by code.
func ofProvinces(dir string) (names map[string]string, wards map[string]map[string]bool, err error) {
	files, err := git(dir, "ls-tree", "-r", "--name-only", "HEAD", newLists)
	if err != nil {
		return nil, nil, err
	}
	names, wards = map[string]string{}, map[string]map[string]bool{}
	for _, file := range strings.Fields(string(files)) {
		b, err := git(dir, "show", "HEAD:"+file)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range seed.FindAllStringSubmatch(string(b), -1) {
			if name := bare(strings.ReplaceAll(m[2], "''", "'")); m[3] == "" {
				names[m[1]] = name
			} else {
				put(wards, m[3], name)
			}
		}
	}
	return names, wards, nil
}

// units stand before the names of places; a numbered ward keeps its own.
var units = []string{"Thành phố ", "Tỉnh ", "Quận ", "Huyện ", "Thị xã ", "Thị trấn ", "Phường ", "Xã ", "Đặc khu "}

func bare(name string) string {
	name = strings.Join(strings.Fields(norm.NFC.String(name)), " ")
	for _, u := range units {
		if len(name) > len(u) && strings.EqualFold(name[:len(u)], u) { // older versions write "Thị Trấn"
			rest := name[len(u):]
			if strings.Trim(rest, "0123456789") == "" {
				return u + strings.TrimLeft(rest, "0")
			}
			return rest
		}
	}
	return name
}
