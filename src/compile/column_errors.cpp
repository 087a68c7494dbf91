#include "compile/column_errors.h"

#include <cmath>

#include "attention/operators/guarded_operator.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/tiled/tiled_attention.h"
#include "base/parallel.h"

namespace asap::compile {
namespace {

void measure_example(const attention::CompiledHead& head,
                     const attention::AttentionBatch<float>& batch, std::int64_t example,
                     std::int64_t index, MeasuredErrors& measured, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<const float> queries = batch.head_queries(example, index),
                                        keys = batch.head_keys(example, index);
  // The plan is all that matters: the least that can be multiplied by it is one column.
  const tensor::MatrixView<float> values = scratch.matrix<float>(keys.rows, 1),
                                  output = scratch.matrix<float>(queries.rows, 1);
  for (std::int64_t j = 0; j < keys.rows; ++j) values(j, 0) = 0;
  const attention::AttentionHead<float> inputs = head.inputs(queries, keys, values);
  const attention::ColumnCertificate certificate =
      attention::guarded_head_attention(head, inputs, {}, output, scratch);
  measured.bounds.push_back(static_cast<float>(certificate.column_error));
  measured.largest_start =
      std::fmax(measured.largest_start, static_cast<float>(certificate.start_error));
  if (!head.predicts()) {
    measured.errors.push_back(
        attention::sinkhorn_attention<float>(inputs, head.iterations, output, scratch)
            .column_error);
    return;
  }
  const attention::TiledOptions options{.storage =
                                            attention::best_storage(queries.rows, keys.rows)};
  measured.errors.push_back(static_cast<float>(
      attention::guarded_tiled_compiled_attention(head.map(), inputs, {}, options, output, scratch)
          .certificate.column_error));
}

/// Gives every rank the errors of all heads.
void exchange_errors(const distributed::ItemShare& share, ColumnErrorsByHead& errors) {
  const auto width = std::ssize(errors.at(0));
  const auto head = [&](std::int64_t index) -> MeasuredErrors& {
    return errors[static_cast<std::size_t>(index / width)][static_cast<std::size_t>(index % width)];
  };
  std::vector<std::string> own;
  for (std::int64_t place = 0; place < share.own(); ++place) {
    const MeasuredErrors& measured = head(share.item(place));
    std::string& bytes = own.emplace_back();
    distributed::pack_value(measured.largest_start, bytes);
    distributed::pack_value(measured.errors.size(), bytes);  // as many bounds
    distributed::pack(std::span<const float>(measured.errors), bytes);
    distributed::pack(std::span<const float>(measured.bounds), bytes);
  }
  const std::vector<std::string> all = share.exchange(own);
  for (std::size_t index = 0; index < all.size(); ++index) {
    distributed::Unpacker unpacker(all[index]);
    MeasuredErrors& measured = head(static_cast<std::int64_t>(index));
    measured.largest_start = unpacker.value<float>();
    measured.errors.resize(unpacker.value<std::size_t>());
    measured.bounds.resize(measured.errors.size());
    unpacker.fill(std::span(measured.errors));
    unpacker.fill(std::span(measured.bounds));
  }
}

}  // namespace

ColumnErrorsByHead measure_column_errors(
    const ActivationSource& source, const std::vector<std::vector<attention::CompiledHead>>& heads,
    const ExampleRange& range, const distributed::Workers& workers,
    const std::function<void(std::int64_t)>& done) {
  const std::int64_t width = source.teacher().heads;
  base::check(std::ssize(heads) == source.teacher().layers && std::ssize(heads.at(0)) == width,
              "measure_column_errors: the heads are not those of the source");
  ColumnErrorsByHead errors;
  for (const auto& layer : heads) errors.emplace_back(layer.size());
  std::vector<tensor::Arena> arenas(static_cast<std::size_t>(std::max(workers.threads, 1)));
  const distributed::ItemShare share(*workers.ranks, std::ssize(heads) * width);
  source.for_each_chunk(
      range, [&](const Activations& chunk, const ExampleRange& inside, std::int64_t) {
        base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
          const std::int64_t index = share.item(place);
          const auto layer = static_cast<std::size_t>(index / width);
          const attention::AttentionBatch<float> batch = chunk.batch(static_cast<int>(layer));
          const std::int64_t h = index % width;
          for (std::int64_t e = inside.first; e < inside.first + inside.count; ++e)
            if (batch.live_query_count(e) > 0 && batch.live_key_count(e) > 0)
              measure_example(heads[layer][h], batch, e, h, errors[layer][h], arenas[worker]);
        });
        if (done) done(inside.count);
      });
  if (share.is_shared()) exchange_errors(share, errors);
  return errors;
}

}  // namespace asap::compile
