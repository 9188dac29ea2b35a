package strict

import (
	"encoding"
	"reflect"
)

// Schema describes what Decode takes for a struct as a JSON schema (draft 2020-12), for editors of YAML. words
// lists the values of types that take only certain texts.
func Schema(v any, words map[reflect.Type][]string) map[string]any {
	s := schema(reflect.TypeOf(v), words)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return s
}

func schema(t reflect.Type, words map[reflect.Type][]string) map[string]any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if allowed := words[t]; allowed != nil {
		return map[string]any{"enum": allowed}
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return map[string]any{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Struct:
		properties := map[string]any{}
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
				properties[key] = schema(t.Field(i).Type, words)
			}
		}
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schema(t.Elem(), words)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schema(t.Elem(), words)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	// A code such as 2.000815 is text even where nobody put quotes around it.
	return map[string]any{"type": []string{"string", "number"}}
}
