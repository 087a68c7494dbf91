#include "compile/head_passes.h"

#include <algorithm>

#include "base/parallel.h"

namespace asap::compile {

HeadPasses::HeadPasses(const ActivationSource& source, const distributed::Workers& workers,
                       std::int64_t total, const CompileProgress& progress)
    : source_(source),
      workers_(workers),
      total_(total),
      progress_(progress),
      scratch_(static_cast<std::size_t>(std::max(workers.threads, 1))) {}

void HeadPasses::run(const ExampleRange& range, const Body& body) {
  source_.for_each_chunk(
      range, [&](const Activations& chunk, const ExampleRange& inside, std::int64_t first) {
        base::parallel_for(share().own(), workers_.threads, [&](std::int64_t place, int worker) {
          const std::int64_t index = share().item(place);
          const int layer = static_cast<int>(index / heads());
          const attention::AttentionBatch<float> batch = chunk.batch(layer);
          for (std::int64_t e = 0; e < inside.count; ++e)
            if (is_live(batch, inside.first + e))
              body(index,
                   VisitedHead{chunk, layer, index % heads(), inside.first + e,
                               first - range.first + e},
                   scratch_[static_cast<std::size_t>(worker)]);
        });
        report(inside.count);
      });
}

void HeadPasses::for_each_head(const std::function<void(std::int64_t index)>& action) const {
  base::parallel_for(share().own(), workers_.threads,
                     [&](std::int64_t place, int) { action(share().item(place)); });
}

void HeadPasses::report(std::int64_t examples) {
  done_ += examples;
  if (progress_) progress_(done_, total_);
}

bool is_live(const attention::AttentionBatch<float>& batch, std::int64_t example) {
  return batch.live_query_count(example) > 0 && batch.live_key_count(example) > 0;
}

void refuse_empty(const std::string& source, const ExampleRange& range) {
  throw base::DataError(source + ": no live tokens in examples " + std::to_string(range.first) +
                        " to " + std::to_string(range.first + range.count - 1));
}

}  // namespace asap::compile
