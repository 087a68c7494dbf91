#include "attention/kinds/attention_kinds.h"

#include <doctest/doctest.h>

#include "attention/interface/trainable_attention.h"
#include "golden/golden_file.h"

using namespace asap::attention;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

// Two float64 implementations that add in different orders, through a few iterations.
constexpr double kTolerance = 1e-12;

/// Runs an attention kind on the golden inputs of `name` and compares outputs and all gradients
/// with PyTorch's.
void check_kind(const std::string& name, const TrainableAttention<double>& kind,
                const char* golden_file = "attention_kinds.safetensors") {
  CAPTURE(name);
  const TensorFile file = read_golden(golden_file);
  const auto value = [&](const char* part) { return golden(file, name + "." + part); };
  const Tensor<double> q = value("q"), k = value("k"), v = value("v");
  const bool learns = file.tensors.contains(name + ".learned");
  const Tensor<double> learned = learns ? value("learned") : Tensor<double>({0, 0});
  const double scale = std::stod(file.metadata.at("scale"));
  const AttentionHead<double> head{q.rows(), k.rows(), v.rows(), scale, learned.rows(), 1};
  Tensor<double> output({q.shape()[0], v.shape()[1]}), dq(q.shape()), dk(k.shape()), dv(v.shape()),
      dl(learned.shape());
  Arena arena;
  AttentionEvidence evidence;
  const auto state = kind.forward(head, output.rows(), arena, evidence);
  const Tensor<double> d_output = value("output_gradient");
  kind.vjp(head, state, output.rows(), d_output.rows(),
           {dq.rows(), dk.rows(), dv.rows(), false, dl.rows()}, arena);
  CHECK(relative_difference(output.flat(), value("output").flat()) < kTolerance);
  CHECK(relative_difference(dq.flat(), value("q_gradient").flat()) < kTolerance);
  CHECK(relative_difference(dk.flat(), value("k_gradient").flat()) < kTolerance);
  CHECK(relative_difference(dv.flat(), value("v_gradient").flat()) < kTolerance);
  if (learns) CHECK(relative_difference(dl.flat(), value("learned_gradient").flat()) < kTolerance);
}

}  // namespace

TEST_CASE("the attention kinds of the literature have PyTorch's values and gradients") {
  check_kind("sinkformer", *make_sinkformer_attention<double>(2));
  check_kind("espformer", *make_espformer_attention<double>(0, {5, 0.3}));
  check_kind("lotformer", *make_lotformer_attention<double>(3, 2));
  check_kind("differential", *make_differential_attention<double>());
}

TEST_CASE("Sinkhorn attention with learned slack has PyTorch's values and gradients") {
  for (const char* name : {"small", "middling", "large"})
    check_kind(name,
               *make_sinkhorn_attention<double>(4, false, {asap::config::SlackKind::learned, 1.0}),
               "slack.safetensors");
}
