// The implementation of Boost.Asio (see BOOST_ASIO_SEPARATE_COMPILATION in its manual) and, up to
// 1.85, of Boost.Process v2, which became a compiled library in 1.86.
#include <boost/asio/impl/src.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION < 108600 && defined(BOOST_PROCESS_V2_SEPARATE_COMPILATION)
#include <boost/process/v2/src.hpp>
#endif
