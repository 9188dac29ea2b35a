package procedure

import (
	"reflect"

	"motcua/agent/strict"
	"motcua/ocr/paper"
)

// Schema is the JSON schema of a procedure's file.
func Schema() map[string]any {
	return strict.Schema(Procedure{}, map[reflect.Type][]string{
		reflect.TypeFor[Level]():      {string(Full), string(Partial)},
		reflect.TypeFor[Topic]():      texts(Topics),
		reflect.TypeFor[Type]():       texts(types),
		reflect.TypeFor[WayID]():      texts(WayIDs),
		reflect.TypeFor[paper.Kind](): texts(known),
	})
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = string(one)
	}
	return out
}
