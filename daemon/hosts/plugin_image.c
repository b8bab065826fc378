#include "daemon/hosts/plugin_image.h"
#include "daemon/base/fd.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

gchar *plugin_image_path(const gchar *handler_dir, const gchar *plugin)
{
    if (g_path_is_absolute(plugin))
        return g_strdup(plugin);
    return g_build_filename(handler_dir, plugin, NULL);
}

static int fail(const gchar *path, const gchar *what, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s: %s", path, what,
                g_strerror(errno));
    return -1;
}

int plugin_image_open(const gchar *path, GError **error)
{
    g_auto(Fd) file = FAULT_AT(IMAGE_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0)
        return fail(path, "cannot open the plugin", error);
    if (!S_ISREG(about.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: the plugin is not a regular file",
                    path);
        return -1;
    }
    g_autofree gchar *name = g_path_get_basename(path);
    g_auto(Fd) image =
        FAULT_AT(IMAGE_MEMFD) ? -1 : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (image < 0)
        return fail(path, "cannot copy the plugin", error);
    for (off_t left = about.st_size; left > 0;) {
        const ssize_t sent = FAULT_AT(IMAGE_COPY) ? -1 : sendfile(image, file, NULL, (gsize)left);
        if (sent < 0)
            return fail(path, "cannot copy the plugin", error);
        if (sent == 0)
            break; /* shorter than it was: what is there is judged when it is loaded */
        left -= sent;
    }
    if (FAULT_AT(IMAGE_SEAL) ||
        fcntl(image, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        return fail(path, "cannot seal the copy of the plugin", error);
    return fd_steal(&image);
}
