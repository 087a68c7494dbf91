/*
 * libasap: answers of trained networks, and doubly stochastic attention on arrays, from C99.
 *
 * Functions return a status. Where that is not ASAP_OK they fill in the asap_error that was passed,
 * unless it is NULL, and write no results. No exception leaves the library, and it keeps no state
 * but the number of threads. Different objects may be used by different threads at once; calls on
 * one asap_model wait for each other. Results do not depend on the number of threads and are those
 * of the commands of the toolkit, to the last byte.
 *
 * Numbers are float32 in the order of C unless it says otherwise. "Live" tokens are those that a
 * length and a mask leave: a token that is not live has no effect, and its row of a result is zero.
 */
#ifndef ASAP_ASAP_H
#define ASAP_ASAP_H

#include <stddef.h>
#include <stdint.h>

#define ASAP_VERSION_MAJOR 0
#define ASAP_VERSION_MINOR 1
#define ASAP_VERSION_PATCH 0

#if defined(__GNUC__)
#define ASAP_API __attribute__((visibility("default")))
#else
#define ASAP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum asap_status {
  ASAP_OK = 0,
  ASAP_USAGE = 2,     /* arguments that are null, out of range or do not fit each other */
  ASAP_DATA = 3,      /* a file that is missing, damaged or holds something else */
  ASAP_NUMERICAL = 4, /* values that are not finite */
  ASAP_MEMORY = 5,    /* out of memory */
  ASAP_INTERNAL = 70  /* a defect of the library */
} asap_status;

/* What went wrong. */
typedef struct asap_error {
  asap_status status;
  char message[1024]; /* one line of UTF-8: what was wrong, what was expected, a hint */
} asap_error;

/* "0.1.0" */
ASAP_API const char* asap_version(void);

/* Threads that calls may use from now on, 1 to 1024; at first one for each processor. */
ASAP_API asap_status asap_set_threads(int threads, asap_error* error);
ASAP_API int asap_threads(void);

/* ---- Trained networks ---- */

/* A trained network: a bundle of asap-eval bundle, or the folder of a run. */
typedef struct asap_model asap_model;

typedef enum asap_input { ASAP_TEXTS = 1, ASAP_IMAGES = 2, ASAP_POINTS = 3 } asap_input;

/* path: a bundle or a run. method: the attention, "teacher", "compiled", "sinkhorn:3", ... as
 * --method of asap-eval predict; NULL: compiled where there is an operator, else teacher. */
ASAP_API asap_status asap_model_load(const char* path, const char* method, asap_model** model,
                                     asap_error* error);
/* The same from the bytes of a bundle. */
ASAP_API asap_status asap_model_load_memory(const void* bytes, size_t size, const char* method,
                                            asap_model** model, asap_error* error);
/* NULL is allowed. */
ASAP_API void asap_model_free(asap_model* model);

/* What a network reads and says. Sizes that its kind of input does not have are 0. Strings live as
 * long as the model. */
typedef struct asap_model_info {
  asap_input input;
  int64_t classes;
  int64_t embedding_width;         /* numbers that the last linear layer reads */
  int64_t channels, height, width; /* of images, in pixels */
  int64_t point_width;             /* coordinates of a point */
  const char* method;              /* "compiled" */
  const char* fingerprint;         /* identifies the trained weights */
} asap_model_info;
ASAP_API asap_status asap_model_describe(const asap_model* model, asap_model_info* info,
                                         asap_error* error);
/* NULL for a class that does not exist. */
ASAP_API const char* asap_model_class_name(const asap_model* model, int64_t index);

/* Where the answers to `count` examples go; members that are NULL are not computed. */
typedef struct asap_answers {
  float* probabilities; /* [count, classes] */
  int32_t* classes;     /* [count]: the most probable, the first of equal ones */
  float* embeddings;    /* [count, embedding_width] */
  double*
      column_errors; /* [count]: distance of the plans from doubly stochastic, mean over heads */
} asap_answers;

/* texts: [count] in UTF-8. lengths: [count] in bytes; NULL: every text ends with a zero byte. */
ASAP_API asap_status asap_predict_texts(asap_model* model, const char* const* texts,
                                        const size_t* lengths, size_t count,
                                        const asap_answers* answers, asap_error* error);
/* pixels: [count, channels, height, width]. */
ASAP_API asap_status asap_predict_images(asap_model* model, const uint8_t* pixels, size_t count,
                                         const asap_answers* answers, asap_error* error);
/* points: [sum of lengths, point_width], set after set; lengths: [count], at least 1. */
ASAP_API asap_status asap_predict_points(asap_model* model, const float* points,
                                         const int64_t* lengths, size_t count,
                                         const asap_answers* answers, asap_error* error);

/* ---- Attention ---- */

/* Where element (example, head, token, 0) of an array lies: data + example * example_stride + head
 * * head_stride + token * token_stride, in elements; elements of one token are contiguous. */
typedef struct asap_array {
  const float* data;
  int64_t example_stride, head_stride, token_stride;
} asap_array;

/* The same for results. Different elements must not share memory. */
typedef struct asap_result {
  float* data;
  int64_t example_stride, head_stride, token_stride;
} asap_result;

/* Attention of `heads` heads for `examples` examples. */
typedef struct asap_attention {
  int64_t examples, heads;
  int64_t query_tokens, key_tokens; /* N and M */
  int64_t width, value_width;       /* D and Dv */
  asap_array queries;               /* [examples, heads, N, D] */
  asap_array keys;                  /* [examples, heads, M, D] */
  asap_array values;                /* [examples, heads, M, Dv] */
  const int64_t* query_lengths;     /* [examples] or NULL: the first so-and-many tokens are live */
  const int64_t* key_lengths;
  const uint8_t* query_mask; /* [examples, N] or NULL: tokens that are not 0 are live */
  const uint8_t* key_mask;   /* [examples, M] or NULL */
  float scale;               /* of the scores q . k; 0: 1 / sqrt(D) */
} asap_attention;

/* Gradients by queries, keys and values. */
typedef struct asap_gradients {
  asap_result queries, keys, values;
} asap_gradients;

/* output: [examples, heads, N, Dv]. Values that are not finite are ASAP_NUMERICAL, here and below.
 */
ASAP_API asap_status asap_softmax_attention(const asap_attention* attention,
                                            const asap_result* output, asap_error* error);
/* Doubly stochastic attention: `iterations` column and row updates after a first row update. Rows
 * of the plan sum to 1; its columns tend to N / M. */
ASAP_API asap_status asap_sinkhorn_attention(const asap_attention* attention, int iterations,
                                             const asap_result* output, asap_error* error);
/* The exact gradients through all iterations of a function of the output with this gradient by it:
 * [examples, heads, N, Dv]. */
ASAP_API asap_status asap_softmax_attention_backward(const asap_attention* attention,
                                                     const asap_array* output_gradient,
                                                     const asap_gradients* gradients,
                                                     asap_error* error);
ASAP_API asap_status asap_sinkhorn_attention_backward(const asap_attention* attention,
                                                      int iterations,
                                                      const asap_array* output_gradient,
                                                      const asap_gradients* gradients,
                                                      asap_error* error);

/* A compiled operator: doubly stochastic attention with few iterations or none. */
typedef struct asap_operator asap_operator;

/* How an operator is fitted; {0} gives the defaults of asap-compile. */
typedef struct asap_fit {
  int iterations; /* of the Sinkhorn attention that is imitated; 0: 10 */
  double epsilon; /* its regularisation, with scores q . k / (sqrt(D) epsilon); 0: 1 */
  const char*
      features;    /* "lse,landmarks:16,it:1"; NULL: chosen on examples that the fit does not see */
  int slices;      /* directions of features on slices; 0: 4 */
  int calibration; /* examples to fit on, the first ones; 0: 256 */
  int held_out;    /* examples after them to measure on; 0: 128 */
} asap_fit;

/* Fits an operator on the queries and keys of one layer (asap_attention.scale is not read), with
 * values also by the output; values.data may be NULL. */
ASAP_API asap_status asap_operator_fit(const asap_attention* attention, const asap_fit* fit,
                                       asap_operator** compiled, asap_error* error);
/* The same for all layers of a network, attention: [layers]. They share examples, heads, width, the
 * numbers of tokens and of live ones; all or none have values. */
ASAP_API asap_status asap_operator_fit_layers(const asap_attention* attention, int64_t layers,
                                              const asap_fit* fit, asap_operator** compiled,
                                              asap_error* error);
/* A folder of asap-compile. */
ASAP_API asap_status asap_operator_load(const char* folder, asap_operator** compiled,
                                        asap_error* error);
ASAP_API asap_status asap_operator_save(const asap_operator* compiled, const char* folder,
                                        asap_error* error);
/* NULL is allowed. */
ASAP_API void asap_operator_free(asap_operator* compiled);
/* 0 for NULL. */
ASAP_API int64_t asap_operator_layers(const asap_operator* compiled);
/* Attention of one layer by the operator (asap_attention.scale is not read). output: [examples,
 * heads, N, Dv]. */
ASAP_API asap_status asap_operator_apply(const asap_operator* compiled, int64_t layer,
                                         const asap_attention* attention, const asap_result* output,
                                         asap_error* error);

/* ---- Transport and region-constrained networks ---- */

/* Kantorovich potentials between uniform measures on s: [n] and t: [m] for the cost -s_i t_j. phi:
 * [n], of mean 0; psi: [m] or NULL. phi_i + psi_j <= -s_i t_j, with equality where the optimal plan
 * has mass. */
ASAP_API asap_status asap_potentials_1d(const double* s, int64_t n, const double* t, int64_t m,
                                        double* phi, double* psi, asap_error* error);

/* A network of relu-fit. */
typedef struct asap_network asap_network;
/* path: network.json or network.safetensors. */
ASAP_API asap_status asap_network_load(const char* path, asap_network** network, asap_error* error);
/* NULL is allowed. */
ASAP_API void asap_network_free(asap_network* network);
/* 0 for NULL. */
ASAP_API int64_t asap_network_inputs(const asap_network* network);
/* x: [count, inputs]; y: [count]. */
ASAP_API asap_status asap_network_values(const asap_network* network, const double* x,
                                         int64_t count, double* y, asap_error* error);

#ifdef __cplusplus
}
#endif

#endif
