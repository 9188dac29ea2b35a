/*
 * Tesseract's legacy engine keeps pairs of shapes that look alike. The library sorts its built-in list of them, one insertion after
 * the other, for each engine that is opened, also where there is no legacy engine to ask it (tessedit.cpp, init_tesseract_lang_data;
 * 5.3.0): a quarter of the time that a worker takes to start. No setting leaves it out. The library calls this function of its own by
 * its dynamic name, so that the program's stands in for it; where a later one doesn't, the list is sorted as before.
 */
__attribute__((visibility("default"))) void mo_no_legacy_ambiguities(void *self, const void *encoder, void *set)
	__asm__("_ZN9tesseract13UnicharAmbigs13LoadUniversalERKNS_10UNICHARSETEPS1_");

void mo_no_legacy_ambiguities(void *self, const void *encoder, void *set) {}
