#include "c_api/guarded.h"
#include "c_api/head_attention.h"

namespace asap::c_api {
namespace {

using Kind = attention::TrainableAttention<float>;

void attend_to(const Kind& kind, const asap_attention* attention, const asap_result* output) {
  require(attention, "attention");
  require(output, "output");
  attend(kind, head_arrays(*attention), head_array(*output));
}

void attend_back(const Kind& kind, const asap_attention* attention,
                 const asap_array* output_gradient, const asap_gradients* gradients) {
  require(attention, "attention");
  require(output_gradient, "output_gradient");
  require(gradients, "gradients");
  attend_backward<float>(
      kind, head_arrays(*attention), head_array(*output_gradient),
      {head_array(gradients->queries), head_array(gradients->keys), head_array(gradients->values)});
}

}  // namespace
}  // namespace asap::c_api

using namespace asap::c_api;

extern "C" {

asap_status asap_softmax_attention(const asap_attention* attention, const asap_result* output,
                                   asap_error* error) {
  return guarded(error, [&] { attend_to(*softmax_kind<float>(), attention, output); });
}

asap_status asap_sinkhorn_attention(const asap_attention* attention, int iterations,
                                    const asap_result* output, asap_error* error) {
  return guarded(error, [&] { attend_to(*sinkhorn_kind<float>(iterations), attention, output); });
}

asap_status asap_softmax_attention_backward(const asap_attention* attention,
                                            const asap_array* output_gradient,
                                            const asap_gradients* gradients, asap_error* error) {
  return guarded(
      error, [&] { attend_back(*softmax_kind<float>(), attention, output_gradient, gradients); });
}

asap_status asap_sinkhorn_attention_backward(const asap_attention* attention, int iterations,
                                             const asap_array* output_gradient,
                                             const asap_gradients* gradients, asap_error* error) {
  return guarded(error, [&] {
    attend_back(*sinkhorn_kind<float>(iterations), attention, output_gradient, gradients);
  });
}
}
