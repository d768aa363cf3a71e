// What libtorch can do in one call and tch 0.22 does not expose: its generator drops functions with an output mask.
//
// Every function catches all exceptions: none may cross into Rust. It returns 0, or 1 with a message that driftscope_free
// frees. `tensors` are borrowed, in the order in which each function names them; `out` receives new tensors that the
// caller owns, null where not wanted, and is written only after everything that can throw.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/GradMode.h>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

using Tensors = const at::Tensor *const *;

template <typename Body> int guarded(char **error, Body body) {
    try {
        c10::AutoGradMode no_grad(false);
        body();
        return 0;
    } catch (const std::exception &failure) {
        *error = strdup(failure.what());
    } catch (...) {
        *error = strdup("unknown C++ exception");
    }
    return 1;
}

// The kernel of Adam and AdamW.
using Adam = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList, double,
                      double, double, double, double, bool, bool, const std::optional<at::Tensor> &,
                      const std::optional<at::Tensor> &);

std::vector<at::Tensor> listed(Tensors tensors, size_t count) {
    std::vector<at::Tensor> list;
    list.reserve(count);
    for (size_t index = 0; index < count; ++index) {
        list.push_back(*tensors[index]);
    }
    return list;
}

at::Tensor *handed_over(const at::Tensor &tensor, bool wanted = true) {
    return wanted ? new at::Tensor(tensor) : nullptr;
}

void hand_over(const std::tuple<at::Tensor, at::Tensor, at::Tensor> &made, const bool *want, at::Tensor **out) {
    out[0] = handed_over(std::get<0>(made), want[0]);
    out[1] = handed_over(std::get<1>(made), want[1]);
    out[2] = handed_over(std::get<2>(made), want[2]);
}

// [batch, tokens, features] as [batch, heads, tokens, width]: a view.
at::Tensor split_heads(const at::Tensor &tensor, int64_t heads) {
    return tensor.view({tensor.size(0), tensor.size(1), heads, tensor.size(2) / heads}).transpose(1, 2);
}

// Query, key and value of [batch, tokens, 3 * features] as [batch, heads, tokens, width]: views.
std::vector<at::Tensor> unpack(const at::Tensor &packed, int64_t heads) {
    auto parts = packed.chunk(3, 2);
    for (auto &part : parts) {
        part = part.unflatten(2, {heads, part.size(2) / heads}).transpose(1, 2);
    }
    return parts;
}

} // namespace

extern "C" {

// Gradients of conv2d (no bias, dilation 1, groups 1) for input and weight. tensors: output gradient, input, weight.
int driftscope_conv2d_backward(Tensors tensors, const int64_t *stride, const int64_t *padding, const bool *want,
                               at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const std::vector<int64_t> strides(stride, stride + 2), paddings(padding, padding + 2), ones{1, 1}, zeros{0, 0};
        const auto made =
            at::convolution_backward(*tensors[0], *tensors[1], *tensors[2], std::nullopt, strides, paddings, ones,
                                     /*transposed=*/false, zeros, /*groups=*/1, {want[0], want[1], false});
        out[0] = handed_over(std::get<0>(made), want[0]);
        out[1] = handed_over(std::get<1>(made), want[1]);
    });
}

// From now on the C library keeps what libtorch frees for its next tensors, instead of handing it back to the system, which
// would clear every page of it anew in every step. Other C libraries are left as they are.
void driftscope_keep_memory() {
#if defined(__GLIBC__)
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    mallopt(M_TOP_PAD, 64 << 20);
#endif
}

// out: the images in memory format channels_last, themselves where they are.
int driftscope_channels_last(const at::Tensor *images, at::Tensor **out, char **error) {
    return guarded(error, [&] { out[0] = handed_over(images->contiguous(at::MemoryFormat::ChannelsLast)); });
}

// Gradients of layer_norm over the last axis for input, weight and bias.
// tensors: output gradient, input, weight, mean, reciprocal deviation.
int driftscope_layer_norm_backward(Tensors tensors, const bool *want, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const auto &weight = *tensors[2];
        // The bias has no part in the gradients; libtorch only asks whether there is one.
        const auto made = at::native_layer_norm_backward(tensors[0]->contiguous(), *tensors[1], weight.sizes(), *tensors[3],
                                                         *tensors[4], weight, weight, {want[0], want[1], want[2]});
        hand_over(made, want, out);
    });
}

// Gradients of batch_norm with batch statistics for input, weight and bias.
// tensors: output gradient, input, weight, mean, reciprocal deviation.
int driftscope_batch_norm_backward(Tensors tensors, const bool *want, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        // With batch statistics epsilon is already in the reciprocal deviation.
        const auto made = at::native_batch_norm_backward(*tensors[0], *tensors[1], *tensors[2], std::nullopt, std::nullopt,
                                                         *tensors[3], *tensors[4], /*train=*/true, /*eps=*/0.0,
                                                         {want[0], want[1], want[2]});
        hand_over(made, want, out);
    });
}

// out: context [batch, tokens, features], logarithm of the softmax denominators (as the device's kernel lays them out).
int driftscope_attention(const at::Tensor *packed, int64_t heads, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const auto parts = unpack(*packed, heads);
        at::Tensor context, log_denominator;
        if (packed->is_cuda()) {
            const auto made = at::_scaled_dot_product_efficient_attention(parts[0], parts[1], parts[2], std::nullopt,
                                                                          /*compute_log_sumexp=*/true);
            std::tie(context, log_denominator) = std::make_tuple(std::get<0>(made), std::get<1>(made));
        } else {
            std::tie(context, log_denominator) =
                at::_scaled_dot_product_flash_attention_for_cpu(parts[0], parts[1], parts[2]);
        }
        context = context.transpose(1, 2).flatten(2);
        out[0] = handed_over(context);
        out[1] = handed_over(log_denominator);
    });
}

// out: gradient for the packed tensor. tensors: output gradient, packed, context, logarithm of the denominators.
int driftscope_attention_backward(Tensors tensors, int64_t heads, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const auto parts = unpack(*tensors[1], heads);
        const auto gradient = split_heads(tensors[0]->contiguous(), heads);
        const auto context = split_heads(*tensors[2], heads);
        at::Tensor query, key, value;
        if (tensors[1]->is_cuda()) {
            // Without dropout the kernel reads neither seed nor offset.
            const auto unused = at::empty({}, tensors[1]->options().dtype(at::kLong));
            const auto made = at::_scaled_dot_product_efficient_attention_backward(
                gradient, parts[0], parts[1], parts[2], /*attn_bias=*/at::Tensor(), context, *tensors[3], unused, unused,
                /*dropout_p=*/0.0, {true, true, true, false});
            std::tie(query, key, value) = std::make_tuple(std::get<0>(made), std::get<1>(made), std::get<2>(made));
        } else {
            std::tie(query, key, value) = at::_scaled_dot_product_flash_attention_for_cpu_backward(
                gradient, parts[0], parts[1], parts[2], context, *tensors[3], /*dropout_p=*/0.0, /*is_causal=*/false);
        }
        out[0] = handed_over(
            at::stack({query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)}, 2).flatten(2));
    });
}

// One step of AdamW (decoupled decay) or Adam. changed: count values, first and second moments, one kind behind the other, all
// written in place; gradients: count. What belongs to one parameter has the same strides.
int driftscope_adamw(Tensors changed, Tensors gradients, size_t count, bool decoupled, double rate, double beta1,
                     double beta2, double decay, double epsilon, double step, char **error) {
    return guarded(error, [&] {
        const auto values = listed(changed, count), first = listed(changed + count, count),
                   second = listed(changed + 2 * count, count), read = listed(gradients, count);
        // The kernels only read it, so that one serves all.
        const std::vector<at::Tensor> steps(count, at::full({}, step, values[0].options().dtype(at::kFloat)));
        const auto kernel = decoupled ? static_cast<Adam>(at::_fused_adamw_) : static_cast<Adam>(at::_fused_adam_);
        kernel(values, read, first, second, {}, steps, rate, beta1, beta2, decay, epsilon, /*amsgrad=*/false,
               /*maximize=*/false, std::nullopt, std::nullopt);
    });
}

// One step of SGD with momentum. changed: count values, then buffers, written in place; gradients: count.
int driftscope_sgd(Tensors changed, Tensors gradients, size_t count, double rate, double momentum, double decay,
                   bool nesterov, bool first, char **error) {
    return guarded(error, [&] {
        const auto values = listed(changed, count), read = listed(gradients, count);
        // Without momentum the kernel takes no buffers, and they are of no use.
        const auto buffers = momentum == 0.0 ? std::vector<at::Tensor>{} : listed(changed + count, count);
        at::_fused_sgd_(values, read, buffers, decay, momentum, rate, /*dampening=*/0.0, nesterov, /*maximize=*/false, first);
    });
}

// Moves each of count tensors a share of the way towards its target, in place.
int driftscope_follow(Tensors changed, Tensors targets, size_t count, double share, char **error) {
    return guarded(error, [&] { at::_foreach_lerp_(listed(changed, count), listed(targets, count), share); });
}

// out: the Euclidean norm of each of count tensors, in one tensor.
int driftscope_norms(Tensors tensors, size_t count, at::Tensor **out, char **error) {
    return guarded(error, [&] { out[0] = handed_over(at::stack(at::_foreach_norm(listed(tensors, count), 2))); });
}

// Multiplies each of count tensors by a number, in place.
int driftscope_scaled(Tensors changed, size_t count, double factor, char **error) {
    return guarded(error, [&] { at::_foreach_mul_(listed(changed, count), factor); });
}

// TF32 for products of float32 on a GPU: matrices (cuBLAS) and convolutions (cuDNN). Without a GPU nothing changes.
int driftscope_allow_tf32(bool allowed, char **error) {
    return guarded(error, [&] {
        at::globalContext().setAllowTF32CuBLAS(allowed);
        at::globalContext().setAllowTF32CuDNN(allowed);
    });
}

void driftscope_free(char *message) { free(message); }
}
