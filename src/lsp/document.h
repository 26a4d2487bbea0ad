/* Texts that the editor has open, and what the stages make of them. */
#ifndef NETC_LSP_DOCUMENT_H
#define NETC_LSP_DOCUMENT_H

#include "compilation/compilation.h"
#include "lsp/position.h"

/* A document as far as the stages got. */
typedef struct Analysis {
    CompileOptions options;
    Compilation compilation; /* with a source, and a file unless it could not be read */
    Meanings meanings;
    GraphCount *counts; /* of its graphs, in their order; NULL after a mistake */
} Analysis;

typedef struct Document Document;
struct Document {
    Document *next;
    char *uri;
    char *path; /* of a file; of another URI it is the URI itself */
    StrBuf text;
    json_int_t version;
    bool unpublished;   /* the editor does not know its diagnostics yet */
    Analysis *analysis; /* NULL: it has to be made */
};

typedef struct Documents {
    Document *first;
} Documents;

/* NULL: it is not open. */
Document *document_find(const Documents *documents, const char *uri);

/* Opens it, or gives it another text. */
void document_set(Documents *documents, const char *uri, const char *text, size_t length,
                  json_int_t version);

/* A file has changed: what read files besides its own text has to be looked at again. */
void documents_changed(Documents *documents);

void document_close(Documents *documents, Document *document);
void documents_close(Documents *documents);

/* What the stages make of it; made if need be. */
const Analysis *document_analysis(const Documents *documents, Document *document);

/* The counts of one of its graphs; NULL after a mistake. */
const GraphCount *analysis_count(const Analysis *analysis, const Graph *graph);

/* The URI of a path: that of the open document, or one of a file. */
json_t *document_uri(const Documents *documents, const char *path);

#endif
