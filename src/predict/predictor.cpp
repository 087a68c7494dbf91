#include "predict/predictor.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "data/batch.h"
#include "predict/plan_probe.h"

namespace asap::predict {
namespace {

constexpr double kUsualShare = 0.99;  // of the examples on which the operator was measured

/// Keeps what the last linear layer reads.
class EmbeddingObserver final : public infer::TokenObserver {
 public:
  void see_embeddings(tensor::MatrixView<const float> embeddings) override {
    values_ = tensor::Tensor<float>(tensor::Shape{embeddings.rows, embeddings.cols});
    for (std::int64_t i = 0; i < embeddings.rows; ++i)
      std::ranges::copy(embeddings.row(i), values_.rows().row(i).begin());
  }
  tensor::MatrixView<const float> values() const { return values_.rows(); }

 private:
  tensor::Tensor<float> values_;
};

/// Copies the rows that a batch holds of one example; those of padding stay behind.
void copy_rows(tensor::MatrixView<const float> batch, std::int64_t from, std::int64_t count,
               std::int64_t to, tensor::MatrixView<float> out) {
  for (std::int64_t row = 0; row < count; ++row)
    std::ranges::copy(batch.row(from + row), out.row(to + row).begin());
}

}  // namespace

std::int64_t embedding_width(const config::ModelConfig& model) {
  return model.has_attention() || model.layers > 0 ? model.width : model.hidden_inputs();
}

std::vector<float> class_probabilities(tensor::VectorView<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  std::vector<float> probabilities;
  for (const float logit : logits)
    probabilities.push_back(static_cast<float>(std::exp(double{logit} - largest) / sum));
  return probabilities;
}

std::vector<std::int32_t> top_classes(tensor::VectorView<const float> logits, std::int64_t count) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto middle = order.begin() + std::min<std::ptrdiff_t>(count, std::ssize(order));
  std::ranges::partial_sort(order, middle, [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  order.erase(middle, order.end());
  return order;
}

evaluate::Method method_of(const std::string& name, const bundle::TrainedModel& model) {
  const std::string chosen = !name.empty() ? name : model.compiled ? "compiled" : "teacher";
  const std::vector<std::string> names = {chosen};
  if (!model.encoder.config().has_attention()) {
    if (chosen != "teacher") model.encoder.require_attention(model.source);
    return {};
  }
  std::vector<evaluate::Method> methods;
  try {
    methods = evaluate::parse_methods(names, model.encoder.config().layers);
  } catch (const base::UsageError& error) {  // whose field is another
    std::string message = error.what();
    if (message.starts_with("`methods`")) message.replace(0, 9, "`method`");
    throw base::UsageError(message, error.hint());
  }
  if (methods.size() != 1 || methods[0].kind == evaluate::MethodKind::sinkhorn_equal)
    throw base::UsageError("`method`: '" + chosen + "' is not one way to answer",
                           "for example sinkhorn:3 or compiled@0");
  if (methods[0].is_compiled() && !model.compiled)
    throw base::UsageError("`method`: '" + chosen + "' needs a compiled operator",
                           "pass the folder that asap-compile wrote: `compiled` DIR");
  return methods[0];
}

Predictor::Predictor(const bundle::TrainedModel& model, const evaluate::Method& method,
                     const PredictorConfig& config,
                     std::optional<evaluate::CascadeThreshold> cascade)
    : model_(model),
      config_(config),
      attention_(evaluate::make_attention(method, model.encoder,
                                          model.compiled ? &model.compiled->heads : nullptr)),
      arenas_(static_cast<std::size_t>(std::max(config.threads, 1))) {
  base::check(method.cascade == cascade.has_value(), "Predictor: a cascade needs its threshold");
  if ((config.plans || config.certificate) && !model.encoder.config().has_attention())
    model.encoder.require_attention(model.source);
  if (config.certificate && !model.encoder.slacks().empty())
    throw base::UsageError(
        "`certificate`: the columns of attention with slack may sum to less than "
        "their bound, so their error says nothing",
        "leave the certificate out");
  if (cascade) cascade_ = std::make_unique<evaluate::Cascade>(model.encoder, *cascade);
  if (!config.certificate || !method.is_compiled() || method.layers || method.iterations > 0)
    return;
  bool measured = false;
  for (const auto& layer : model.compiled->heads)
    for (const attention::CompiledHead& head : layer) {
      const bool known = head.column_errors.measured();
      measured = measured || known;
      usual_errors_.push_back(known ? head.column_errors.quantile(kUsualShare) : INFINITY);
    }
  if (!measured) usual_errors_.clear();
}

Predictor::~Predictor() = default;

Certificate Predictor::certify(std::span<const double> errors) const {
  Certificate certificate;
  for (const double error : errors) {
    certificate.mean += error / static_cast<double>(errors.size());
    certificate.largest = std::max(certificate.largest, error);
  }
  if (usual_errors_.empty()) return certificate;
  certificate.unusual_heads = 0;
  for (std::size_t head = 0; head < errors.size(); ++head)
    if (errors[head] > usual_errors_[head]) ++*certificate.unusual_heads;
  return certificate;
}

void Predictor::run_batch(const Examples& examples, std::span<const std::int64_t> places,
                          Answers& out, tensor::Arena& arena) {
  const infer::Encoder& encoder = model_.encoder;
  data::Batch batch;
  batch.fill(examples.dataset, places);
  const std::int64_t rows = encoder.logit_rows(batch.input());
  const std::int64_t rows_each = rows / std::ssize(places);  // with padding
  tensor::Tensor<float> logits({rows, encoder.config().classes});
  EmbeddingObserver embeddings;
  using Outputs = evaluate::GuardTally::Outputs;
  const evaluate::GuardTally tally(*attention_, encoder.config().layers, std::ssize(places),
                                   cascade_ ? Outputs::kept : Outputs::forgotten);
  const PlanProbe probe(
      tally, {encoder.config().layers, encoder.config().heads, std::ssize(places), config_.plans});
  const bool probed = config_.plans || config_.certificate;
  const attention::AttentionOperator& attention =
      probed ? static_cast<const attention::AttentionOperator&>(probe) : tally;
  encoder.forward(batch.input(), attention, logits.rows(), arena,
                  config_.embeddings ? &embeddings : nullptr);
  for (std::int64_t b = 0; b < std::ssize(places); ++b) {
    const std::int64_t place = places[static_cast<std::size_t>(b)];
    if (config_.embeddings)
      copy_rows(embeddings.values(), b * rows_each, examples.answer_count(place),
                examples.first_answer(place), out.embeddings.rows());
    const auto at = static_cast<std::size_t>(place);
    if (config_.certificate) out.certificates[at] = certify(probe.column_errors(b));
    if (config_.plans) out.plans[at] = probe.kept_plans(b);
  }
  if (cascade_) {
    const std::int64_t reruns =
        cascade_->rerun(examples.dataset, places, tally, logits.rows(), arena);
    std::atomic_ref(out.reruns) += reruns;
  }
  for (std::int64_t b = 0; b < std::ssize(places); ++b) {
    const std::int64_t place = places[static_cast<std::size_t>(b)];
    copy_rows(logits.rows(), b * rows_each, examples.answer_count(place),
              examples.first_answer(place), out.logits.rows());
  }
}

/// Gives this rank the answers of all batches.
void Predictor::exchange(const Examples& examples, std::span<const std::int64_t> order,
                         const distributed::ItemShare& share, Answers& out) const {
  const auto rows_of = [&](tensor::Tensor<float>& all, std::int64_t place) {
    const std::int64_t width = all.shape()[1];
    return all.flat().subspan(static_cast<std::size_t>(examples.first_answer(place) * width),
                              static_cast<std::size_t>(examples.answer_count(place) * width));
  };
  const auto places_of = [&](std::int64_t batch) {
    const std::int64_t begin = batch * config_.batch;
    return order.subspan(
        static_cast<std::size_t>(begin),
        static_cast<std::size_t>(std::min<std::int64_t>(config_.batch, std::ssize(order) - begin)));
  };
  std::vector<std::string> own(static_cast<std::size_t>(share.own()));
  for (std::int64_t place = 0; place < share.own(); ++place) {
    std::string& bytes = own[static_cast<std::size_t>(place)];
    for (const std::int64_t example : places_of(share.item(place))) {
      const auto at = static_cast<std::size_t>(example);
      distributed::pack<float>(rows_of(out.logits, example), bytes);
      if (config_.embeddings) distributed::pack<float>(rows_of(out.embeddings, example), bytes);
      if (config_.certificate) distributed::pack_value(out.certificates[at], bytes);
      if (!config_.plans) continue;
      distributed::pack_value(out.plans[at].shape()[2], bytes);
      distributed::pack<float>(out.plans[at].flat(), bytes);
    }
  }
  const std::vector<std::string> all = share.exchange(own);
  for (std::int64_t batch = 0; batch < std::ssize(all); ++batch) {
    distributed::Unpacker unpacker(all[static_cast<std::size_t>(batch)]);
    for (const std::int64_t example : places_of(batch)) {
      const auto at = static_cast<std::size_t>(example);
      unpacker.fill(rows_of(out.logits, example));
      if (config_.embeddings) unpacker.fill(rows_of(out.embeddings, example));
      if (config_.certificate) out.certificates[at] = unpacker.value<Certificate>();
      if (!config_.plans) continue;
      const auto tokens = unpacker.value<std::int64_t>();
      const config::ModelConfig& network = model_.encoder.config();
      out.plans[at] = tensor::Tensor<float>({network.layers, network.heads, tokens, tokens});
      unpacker.fill(out.plans[at].flat());
    }
  }
  const std::vector<std::int64_t> reruns = distributed::gather_values(*config_.ranks, out.reruns);
  out.reruns = std::accumulate(reruns.begin(), reruns.end(), std::int64_t{0});
}

Answers Predictor::answer(const Examples& examples) {
  const config::ModelConfig& network = model_.encoder.config();
  const std::int64_t count = examples.size(), size = config_.batch;
  Answers out;
  const std::int64_t answers = examples.answers();
  out.logits = tensor::Tensor<float>({answers, network.classes});
  if (config_.embeddings)
    out.embeddings = tensor::Tensor<float>({answers, embedding_width(network)});
  if (config_.certificate) out.certificates.resize(static_cast<std::size_t>(count));
  if (config_.plans) out.plans.resize(static_cast<std::size_t>(count));
  const std::vector<std::int64_t> order = data::length_order(examples.dataset);
  const std::int64_t batches = (count + size - 1) / size;
  const distributed::ItemShare share(*config_.ranks, batches);
  base::parallel_for(share.own(), config_.threads, [&](std::int64_t turn, int worker) {
    const std::int64_t begin = share.item(share.own() - 1 - turn) * size;  // the longest first
    const std::int64_t end = std::min(begin + size, count);
    run_batch(examples,
              std::span(order).subspan(static_cast<std::size_t>(begin),
                                       static_cast<std::size_t>(end - begin)),
              out, arenas_[static_cast<std::size_t>(worker)]);
  });
  if (share.is_shared()) exchange(examples, order, share, out);
  for (const float logit : out.logits.flat())
    if (!std::isfinite(logit))
      throw base::NumericalError(model_.source + ": the network's outputs are not finite",
                                 "the trained weights may hold NaN");
  return out;
}

}  // namespace asap::predict
